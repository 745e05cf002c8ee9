/*
 * clock.h - the two clocks of the shim.  Both are answered by the vDSO, without a system call.
 */
#ifndef FPMSCOPE_BASE_CLOCK_H
#define FPMSCOPE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_ns(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Microseconds since the Unix epoch: what messages carry. */
static inline int64_t clock_unix_us(void)
{
    return clock_read_ns(CLOCK_REALTIME) / 1000;
}

/* For durations. */
static inline int64_t clock_steady_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

#endif
