/* toll.c - see toll.h. */
#include "alloc/toll.h"

#include "banned.h"

enum { PS_PER_NS = 1000 };

static const double fading = 1 - 1.0 / TOLL_MEMORY_PICKS;

void toll_met(struct toll *toll, size_t size_bytes, uint64_t interval_bytes)
{
    const double size = size_bytes > 0 ? (double) size_bytes : 1;
    const double interval = (double) interval_bytes;

    toll->blocks = toll->blocks * fading + (size < interval ? interval / size : 1);
    toll->bytes = toll->bytes * fading + (size < interval ? interval : size);
}

uint64_t toll_hooks_ppm(const struct toll *toll, uint64_t pair_ps, uint64_t allocated_bytes,
                        uint64_t cpu_ns)
{
    double blocks, ppm;

    if (toll->bytes <= 0 || cpu_ns == 0)
        return 0;
    blocks = (double) allocated_bytes * toll->blocks / toll->bytes;
    ppm = blocks * (double) pair_ps / PS_PER_NS / (double) cpu_ns * PPM;
    return ppm < PPM ? (uint64_t) ppm : PPM;
}

uint64_t toll_leaves_ppm(uint64_t hooks_ppm, uint64_t budgets_ppm)
{
    const uint64_t limit_ppm = 2 * budgets_ppm;
    const uint64_t left_ppm = limit_ppm > hooks_ppm ? limit_ppm - hooks_ppm : 0;
    uint64_t share_ppm;

    if (left_ppm >= budgets_ppm)
        return PPM;
    share_ppm = left_ppm * PPM / budgets_ppm;
    return share_ppm > TOLL_LEAST_PPM ? share_ppm : TOLL_LEAST_PPM;
}
