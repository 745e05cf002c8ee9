/*
 * crash_deadline.h - a crash handler that hangs must not keep a dead worker: after
 * CRASH_DEADLINE_MS the original signal kills the process.
 *
 * A thread timer with SIGALRM, both put back by disarm.  (alarm() alone would turn the death into
 * "exited on signal 14".)  Signal-safe.
 */
#ifndef FPMSCOPE_CRASH_CRASH_DEADLINE_H
#define FPMSCOPE_CRASH_CRASH_DEADLINE_H

#include <signal.h>

#include "base/marks.h"

/* `signo` and `info` of the crash; `info` must outlive the deadline. */
SIGNAL_SAFE void crash_deadline_arm(int signo, const siginfo_t *info);

SIGNAL_SAFE void crash_deadline_disarm(void);

/* Die of `signo` now, whatever is blocked or handled.  Does not return. */
SIGNAL_SAFE void crash_die(int signo, const siginfo_t *info);

/* Queue the signal for the calling thread again, with the siginfo that it came with. */
SIGNAL_SAFE void crash_send_again(int signo, const siginfo_t *info);

#endif
