/*
 * sampler.h - which allocations are looked at: every byte has the same small chance.
 *
 * Picture bytes passing on a belt, and a hand that picks one of them about every `interval`: the
 * block around a picked byte is the sample.  Distances between picks are exponential, so the belt
 * has no memory and no rhythm of the program can hide from it.  A block of s bytes is picked with
 *
 *     p(s) = 1 - exp(-s / interval)
 *
 * so a picked one stands for s / p(s) bytes.  With an interval of 512 KiB: a block of 64 KiB is
 * picked 1 time in 8.5 and stands for 557 KiB; one of 100 bytes 1 time in 5,243 and for 512 KiB;
 * one of 4 MiB nearly always, and stands for itself.  Sums of these weights are unbiased, also when
 * the interval changes in between: each sample carries its own.
 */
#ifndef FPMSCOPE_ALLOC_SAMPLER_H
#define FPMSCOPE_ALLOC_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

struct sampler {
    uint64_t random; /* state of xorshift64*, never 0 */
    uint64_t interval_bytes;
};

void sampler_init(struct sampler *sampler, uint64_t seed, uint64_t interval_bytes);

/* Bytes from here to the next pick; at least 1. */
uint64_t sampler_next_gap_bytes(struct sampler *sampler);

/* -ln(fraction / 2^53), for 1 <= fraction <= 2^53; within 1e-6.  No libm in the shim. */
double sampler_minus_log(uint64_t fraction);

#endif
