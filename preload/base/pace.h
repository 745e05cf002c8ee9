/*
 * pace.h - how fast the processor is now, beside the one on which the shim's prices were measured.
 *
 * Picture somebody who sells by weight and has one true stone.  Timing every hook would cost more
 * than the hook; so one small errand, to have a block lent and to give it back, is timed now and
 * then, and what anything else costs is so many of those.  Constants in nanoseconds would be wrong
 * wherever the processor is slower, or is made slower (an emulator, valgrind, a neighbour on the
 * same core): budgets compare them with CPU time that is measured.
 *
 * Main thread only.
 */
#ifndef FPMSCOPE_BASE_PACE_H
#define FPMSCOPE_BASE_PACE_H

#include <stdint.h>

enum {
    PACE_ERRANDS = 128, /* a round */
    PACE_ROUNDS = 4,    /* the best counts: the others may have been interrupted */
    PACE_TURNS = 8,
    PACE_ERRAND_PS = 2900, /* there (tests/bench/RESULTS.md) */
};

/* What an errand takes in picoseconds, when the best round took that long; never 0. */
uint64_t pace_errand_ps_of(int64_t round_ns);

/* Time it: some 1.5 us, no system call. */
void pace_look(void);

/* The same at every PACE_TURNS-th call. */
void pace_look_again(void);

/* What takes `price` there takes so much here, by the last look; the same before the first one. */
uint64_t pace_here(uint64_t price);

#endif
