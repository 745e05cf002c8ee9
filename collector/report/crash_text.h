/* crash_text.h - the death of a worker in words. */
#ifndef FPMSCOPE_REPORT_CRASH_TEXT_H
#define FPMSCOPE_REPORT_CRASH_TEXT_H

#include <stddef.h>

#include "analyze/summary/summary.h"

enum { CRASH_TEXT_BYTES = 4096 };

/* "SIGSEGV"; "exit" for 0; "SIG<n>" for a number without a name (static buffer free). */
const char *crash_signal_name(int signo);

/* "worker 812 (pool www) died of SIGSEGV in libc.so.6+0x167ad8 while serving GET /media/..." */
const char *crash_sentence(const struct summary_crash *crash, char *buf, size_t cap);

/* What to do about it. */
const char *crash_advice(const struct summary_crash *crash, char *buf, size_t cap);

#endif
