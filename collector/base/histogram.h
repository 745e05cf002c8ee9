/*
 * histogram.h - quantiles of positive numbers in constant memory, within 9 % of the true value.
 *
 * Buckets grow by 2^(1/4): the middle of a bucket is at most 2^(1/8) - 1 = 9 % away from any number
 * in it (the idea of DDSketch, Masson et al., VLDB 2019, with a fixed set of buckets).
 */
#ifndef FPMSCOPE_BASE_HISTOGRAM_H
#define FPMSCOPE_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 160 }; /* 0, and 1 .. 2^40 */

struct histogram {
    uint32_t counts[HISTOGRAM_BUCKETS]; /* saturating */
    uint64_t total;
    double max;
};

/* Numbers below 1 count as 0, numbers above 2^39.75 as that. */
void histogram_add(struct histogram *histogram, double value);

/* Add all numbers of `other`. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The value below which the share `q` (0..1) of the numbers lies; 0 when there are none. */
double histogram_quantile(const struct histogram *histogram, double q);

#endif
