/* stack_fold.c - find where a stack repeats itself. */
#include "analyze/summary/stack_fold.h"

static size_t times_repeated(const uint32_t *frames, size_t count, size_t at, size_t period)
{
    size_t matched = 0;

    while (at + period + matched < count && frames[at + matched] == frames[at + period + matched])
        matched++;
    return 1 + matched / period;
}

size_t stack_fold_period(const uint32_t *frames, size_t count, size_t at, size_t *ret_times)
{
    for (size_t period = 1; period <= STACK_FOLD_PERIOD_MAX; period++) {
        size_t times = times_repeated(frames, count, at, period);

        if (times >= 2) {
            *ret_times = times;
            return period;
        }
    }
    *ret_times = 1;
    return 0;
}
