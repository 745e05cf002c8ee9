/*
 * human.h - numbers, times and other people's texts as a person reads them.
 *
 * Every function writes a NUL-terminated string into the caller's buffer, cuts it when it is too
 * long, and returns that buffer, so that it can stand in an argument list.
 */
#ifndef FPMSCOPE_REPORT_HUMAN_H
#define FPMSCOPE_REPORT_HUMAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { HUMAN_BYTES = 24, HUMAN_TIME_BYTES = 32 };

/* "0 B", "64.0 KiB", "1.2 GiB"; a minus sign for what shrank. */
const char *human_bytes(double bytes, char *buf, size_t cap);

/* "850 us", "12 ms", "3.4 s", "5 min", "3 h 20 min", "2 days 4 h". */
const char *human_duration(int64_t us, char *buf, size_t cap);

/* "2026-11-22 07:25:29" UTC; "-" for 0 and below. */
const char *human_time(int64_t unix_us, char *buf, size_t cap);

/* "07:25:29" UTC; "-" for 0 and below. */
const char *human_clock(int64_t unix_us, char *buf, size_t cap);

/*
 * A hostile text for a terminal: control characters (C0, DEL, C1), bidirectional overrides and
 * bytes that are not UTF-8 become \xNN, so that a URI cannot move the cursor or change the title.
 */
const char *human_text(struct slice text, char *buf, size_t cap);

/* 1 -> "" and anything else -> "s": for "3 requests". */
const char *human_plural(uint64_t n);

#endif
