/*
 * pool_load.h - how many requests an hour a pool serves while there is traffic.
 *
 * A host that was visited from ten to eleven and watched until midnight has not become slower: of a
 * gap between two requests that is longer than a minute, and than twenty usual ones, only so much
 * counts; the rest is a pause.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_POOL_LOAD_H
#define FPMSCOPE_ANALYZE_SUMMARY_POOL_LOAD_H

#include <stdint.h>

#include "analyze/summary/pool_traffic.h"

enum { POOL_LOAD_GAP_US = 60 * 1000 * 1000, POOL_LOAD_USUAL_GAPS = 20 };

/* By the number of the pool.  All zero is no traffic. */
struct pool_load {
    int64_t last_us[POOL_TRAFFIC_POOLS]; /* when its last request ended */
    int64_t busy_us[POOL_TRAFFIC_POOLS];
    uint64_t intervals[POOL_TRAFFIC_POOLS]; /* between two requests; without pauses, busy_us is
                                               their sum */
};

/* A request of the pool ended; in the order of time. */
void pool_load_feed(struct pool_load *load, size_t pool, int64_t end_us);

/* 0: not known, as after a single request. */
double pool_load_per_hour(const struct pool_load *load, size_t pool);

#endif
