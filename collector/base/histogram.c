/* histogram.c - quantiles of positive numbers in constant memory. */
#include "base/histogram.h"

#include <math.h>

enum { BUCKETS_AN_OCTAVE = 4 };

static unsigned bucket_of(double value)
{
    double bucket;

    if (!(value >= 1)) /* also NaN */
        return 0;
    bucket = 1 + floor(log2(value) * BUCKETS_AN_OCTAVE);
    return bucket < HISTOGRAM_BUCKETS ? (unsigned) bucket : HISTOGRAM_BUCKETS - 1;
}

void histogram_add(struct histogram *histogram, double value)
{
    uint32_t *count = &histogram->counts[bucket_of(value)];

    if (*count < UINT32_MAX)
        (*count)++;
    histogram->total++;
    if (value > histogram->max)
        histogram->max = value;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        const uint64_t sum = (uint64_t) histogram->counts[i] + other->counts[i];

        histogram->counts[i] = sum < UINT32_MAX ? (uint32_t) sum : UINT32_MAX;
    }
    histogram->total += other->total;
    if (other->max > histogram->max)
        histogram->max = other->max;
}

double histogram_quantile(const struct histogram *histogram, double q)
{
    uint64_t wanted = (uint64_t) (q * (double) histogram->total), seen = 0;

    if (histogram->total == 0)
        return 0;
    if (wanted >= histogram->total)
        return histogram->max;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen > wanted) {
            double middle = i == 0 ? 0 : exp2(((double) i - 0.5) / BUCKETS_AN_OCTAVE);

            return fmin(middle, histogram->max);
        }
    }
    return histogram->max;
}
