/* pool_traffic.c - a short list of pools, and counters beside it. */
#include "analyze/summary/pool_traffic.h"

size_t pool_number(struct pool_names *names, text_id pool)
{
    size_t i = 0;

    while (i < names->count && names->pools[i] != pool)
        i++;
    if (i < names->count)
        return i;
    if (names->count == POOL_TRAFFIC_POOLS)
        return POOL_TRAFFIC_POOLS - 1;
    names->pools[names->count++] = pool;
    return i;
}

void pool_traffic_merge(struct pool_traffic *into, const struct pool_traffic *from)
{
    for (size_t i = 0; i < POOL_TRAFFIC_POOLS; i++)
        into->requests[i] += from->requests[i];
}

size_t pool_traffic_main(const struct pool_traffic *traffic)
{
    size_t best = 0;

    for (size_t i = 1; i < POOL_TRAFFIC_POOLS; i++)
        if (traffic->requests[i] > traffic->requests[best])
            best = i;
    return best;
}
