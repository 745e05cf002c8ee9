/* pool_load.c - the pace of a pool, without its pauses. */
#include "analyze/summary/pool_load.h"

#define HOUR_US 3.6e9

static int64_t longest_gap_us(const struct pool_load *load, size_t pool)
{
    const int64_t intervals = (int64_t) load->intervals[pool];
    const int64_t usual_us = intervals > 0 ? load->busy_us[pool] / intervals : 0;
    const int64_t most_us = usual_us * POOL_LOAD_USUAL_GAPS;

    return most_us > POOL_LOAD_GAP_US ? most_us : POOL_LOAD_GAP_US;
}

void pool_load_feed(struct pool_load *load, size_t pool, int64_t end_us)
{
    const int64_t gap_us = end_us - load->last_us[pool];

    if (end_us <= 0 || gap_us < 0)
        return;
    if (load->last_us[pool] > 0) {
        const int64_t most_us = longest_gap_us(load, pool);

        load->busy_us[pool] += gap_us < most_us ? gap_us : most_us;
        load->intervals[pool]++;
    }
    load->last_us[pool] = end_us;
}

double pool_load_per_hour(const struct pool_load *load, size_t pool)
{
    if (load->busy_us[pool] <= 0)
        return 0;
    return (double) load->intervals[pool] / (double) load->busy_us[pool] * HOUR_US;
}
