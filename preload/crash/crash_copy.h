/*
 * crash_copy.h - take the evidence of a crash: from the signal's context into the recorder page.
 *
 * Everything here runs in the crash handler: signal-safe, bounded, guarded reads only.
 */
#ifndef FPMSCOPE_CRASH_CRASH_COPY_H
#define FPMSCOPE_CRASH_CRASH_COPY_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/marks.h"
#include "crash/crash.h"

/* Signal, registers and the request being served; state becomes BEGUN. */
SIGNAL_SAFE void crash_copy_signal(struct recorder_page *page, int signo, const siginfo_t *info,
                                   const void *context);

/* The PHP stack as text; returns its length in bytes. */
SIGNAL_SAFE size_t crash_copy_php(const struct crash_sources *sources, char *buf, size_t cap_bytes);

/* The executable rows of /proc/self/maps, whole rows only; 0 where /proc is not (chroot). */
SIGNAL_SAFE size_t crash_copy_maps(char *buf, size_t cap_bytes);

/*
 * The stack from just below `sp` upwards, as far as it can be read.  After a stack overflow sp
 * points into the guard: the copy then begins at the first page that is there.  Returns the bytes
 * copied, *ret_address is where the first of them was.
 */
SIGNAL_SAFE size_t crash_copy_stack(uintptr_t sp, uint8_t *buf, size_t cap_bytes,
                                    uint64_t *ret_address);

/* The pid that sent the signal, 0 for a fault. */
SIGNAL_SAFE uint32_t crash_sender(const siginfo_t *info);

#endif
