/*
 * call_price.h - what a call of an armed request's handlers costs, on the machine at hand.
 *
 * Picture somebody who sells by weight and has one true stone.  Timing every call would cost more
 * than the call; so one piece of what a call does, the look for a block in a picture, is timed once
 * in a worker, and a call weighs a fixed number of those.  A constant in nanoseconds would be wrong
 * wherever the processor is slower or is made slower (an emulator, valgrind): the budget compares
 * it with CPU time that is measured, and would arm far too many requests.
 */
#ifndef FPMSCOPE_ZEND_CALL_PRICE_H
#define FPMSCOPE_ZEND_CALL_PRICE_H

#include <stdint.h>

#include "zend/picture.h"

enum {
    CALL_PRICE_LOOKS = 1024, /* a round */
    CALL_PRICE_ROUNDS = 8,   /* the best counts: the others may have been interrupted */
};

/* Where a call was measured as 4.5 ns, a look took 0.9 ns (tests/bench/RESULTS.md). */
enum { CALL_PRICE_CALL_PS = 4500, CALL_PRICE_LOOK_PS = 900 };

/* The price of a call in picoseconds, when the best round took that long; never 0. */
uint64_t call_price_ps_of(int64_t round_ns);

/* Measure it; `picture` is empty and stays so.  Some microseconds, no allocation. */
uint64_t call_price_ps(struct picture *picture);

#endif
