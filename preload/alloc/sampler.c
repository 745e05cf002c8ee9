/* sampler.c - see sampler.h. */
#include "alloc/sampler.h"

#include "banned.h"

enum { FRACTION_BITS = 53 };

void sampler_init(struct sampler *sampler, uint64_t seed, uint64_t interval_bytes)
{
    sampler->random = seed ? seed : 1;
    sampler->interval_bytes = interval_bytes;
}

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators". */
static uint64_t sampler_random(struct sampler *sampler)
{
    uint64_t x = sampler->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    sampler->random = x;
    return x * 0x2545f4914f6cdd1du;
}

double sampler_minus_log(uint64_t fraction)
{
    static const double ln_2 = 0.69314718055994530942;
    int exponent = 63 - __builtin_clzll(fraction);
    double mantissa = (double) fraction / (double) (UINT64_C(1) << exponent); /* 1 <= m < 2 */
    double s = (mantissa - 1) / (mantissa + 1);
    double square = s * s;

    /* ln(m) = 2 atanh(s), and s <= 1/3: five terms leave 1e-6. */
    double ln_m =
        2 * s * (1 + square * (1.0 / 3 + square * (1.0 / 5 + square * (1.0 / 7 + square / 9))));

    return (FRACTION_BITS - exponent) * ln_2 - ln_m;
}

uint64_t sampler_next_gap_bytes(struct sampler *sampler)
{
    uint64_t fraction = (sampler_random(sampler) >> (64 - FRACTION_BITS)) + 1;
    double gap = sampler_minus_log(fraction) * (double) sampler->interval_bytes;

    return gap < 1 ? 1 : (uint64_t) gap;
}
