/* pace.c - see pace.h. */
#include "base/pace.h"

#include "base/clock.h"
#include "base/free_filter.h"
#include "banned.h"

enum { FEW_BLOCKS = 16 };

static uint64_t pace_question_ps = PACE_QUESTION_PS;

uint64_t pace_question_ps_of(int64_t round_ns)
{
    const uint64_t question_ps = round_ns > 0 ? (uint64_t) round_ns * 1000 / PACE_QUESTIONS : 0;

    return question_ps > 0 ? question_ps : 1;
}

/* Few blocks: it is the processor that is to be timed, not its caches. */
static int64_t pace_time_round(void)
{
    const int64_t begin_ns = clock_steady_ns();

    for (uintptr_t i = 0; i < PACE_QUESTIONS; i++) {
        uintptr_t block = (1 + i % FEW_BLOCKS) << 12;

        __asm__ volatile("" : "+r"(block)); /* unknown to the compiler */
        if (!free_filter_closed[free_filter_class((const void *) block)])
            break;
    }
    return clock_steady_ns() - begin_ns;
}

void pace_look(void)
{
    int64_t best_ns = INT64_MAX;

    for (int round = 0; round < PACE_ROUNDS; round++) {
        const int64_t round_ns = pace_time_round();

        if (round_ns < best_ns)
            best_ns = round_ns;
    }
    pace_question_ps = pace_question_ps_of(best_ns);
}

uint64_t pace_here(uint64_t price)
{
    return price * pace_question_ps / PACE_QUESTION_PS;
}
