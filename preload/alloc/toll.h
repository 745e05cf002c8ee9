/*
 * toll.h - what malloc()'s and free()'s hooks cost by themselves, and what they leave to sampling.
 *
 * Every pair pays a toll of some 2 ns, whatever anybody decides.  Sampling is what can be turned
 * down: where the tolls alone come near the limit, which is twice the budgets of both heaps
 * together (2 % of the CPU time by default), the budgets shrink, down to an eighth.
 *
 *   toll_met(...)        for each pick: what kind of blocks go by
 *   toll_hooks_ppm(...)  now and then: the hooks' share of CPU time
 *   toll_leaves_ppm(...) how much of each budget there is then, in millionths of it
 *
 * Blocks are not counted: that would be a toll of its own.  But a block of s bytes is picked with a
 * probability of s / interval, or always when it is larger: so a pick stands for interval / s
 * blocks of interval bytes together, or for one of s.  The two sums fade: the last picks count
 * most.
 *
 * Pure; main thread only.
 */
#ifndef FPMSCOPE_ALLOC_TOLL_H
#define FPMSCOPE_ALLOC_TOLL_H

#include <stddef.h>
#include <stdint.h>

#include "base/ppm.h"

enum {
    /* Where base/pace.h has its prices from.  2,000 to 2,100 there; but in a worker picks and pace
     * together come out a fifth too low (tests/bench/RESULTS.md). */
    TOLL_PAIR_PS = 2500,
    TOLL_MEMORY_PICKS = 64,
    TOLL_LEAST_PPM = PPM / 8,
};

/* Zero-initialised. */
struct toll {
    double blocks, bytes;
};

/* A block was picked; `interval_bytes` > 0. */
void toll_met(struct toll *toll, size_t size_bytes, uint64_t interval_bytes);

/* Of the time in which so many bytes were allocated, when a pair pays `pair_ps`; 0 before anything
 * was met. */
uint64_t toll_hooks_ppm(const struct toll *toll, uint64_t pair_ps, uint64_t allocated_bytes,
                        uint64_t cpu_ns);

/* `budgets_ppm`: what all sampling may take together, in millionths of the CPU time. */
uint64_t toll_leaves_ppm(uint64_t hooks_ppm, uint64_t budgets_ppm);

#endif
