/* clock.h - the wall clock, in the unit of all stamps.  Nothing pure includes it: times are given.
 */
#ifndef FPMSCOPE_BASE_CLOCK_H
#define FPMSCOPE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds since the epoch. */
static inline int64_t clock_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#endif
