/*
 * bench_pace.c - how long an errand takes by which a worker weighs what its hooks and handlers
 * cost (base/pace.h), beside a pair of malloc() and free().  Run it under valgrind, too: there it
 * is slower.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/pace.h"

enum { PAIRS = 1000 };

static double pair_ns(void)
{
    const int64_t begin_ns = clock_steady_ns();

    for (int i = 0; i < PAIRS; i++) {
        void *block = malloc(64);

        __asm__ volatile("" : "+r"(block));
        free(block);
    }
    return (double) (clock_steady_ns() - begin_ns) / PAIRS;
}

int main(void)
{
    for (int i = 0; i < 8; i++) {
        pace_look();
        printf("an errand: %.2f ns; a pair: %.2f ns\n", (double) pace_here(PACE_ERRAND_PS) / 1000,
               pair_ns());
    }
    return 0;
}
