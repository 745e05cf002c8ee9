/*
 * pace.h - how fast the processor is now, beside the one on which the shim's prices were measured.
 *
 * Picture somebody who sells by weight and has one true stone.  Timing every hook would cost more
 * than the hook; so one small piece of work, the question that free() asks of a block, is timed now
 * and then, and what anything else costs is so many of those.  Constants in nanoseconds would be
 * wrong wherever the processor is slower, or is made slower (an emulator, valgrind, a neighbour on
 * the same core): budgets compare them with CPU time that is measured.
 *
 * Main thread only.
 */
#ifndef FPMSCOPE_BASE_PACE_H
#define FPMSCOPE_BASE_PACE_H

#include <stdint.h>

enum {
    PACE_QUESTIONS = 256,   /* a round */
    PACE_ROUNDS = 4,        /* the best counts: the others may have been interrupted */
    PACE_QUESTION_PS = 820, /* there (tests/bench/RESULTS.md) */
};

/* What a question takes in picoseconds, when the best round took that long; never 0. */
uint64_t pace_question_ps_of(int64_t round_ns);

/* Time it: about a microsecond, no system call. */
void pace_look(void);

/* What takes `price` there takes so much here, by the last look; the same before the first one. */
uint64_t pace_here(uint64_t price);

#endif
