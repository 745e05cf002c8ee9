/*
 * pool_traffic.h - requests by pool, of one route or of all: what a route is a share of.
 *
 * Each pool has workers of its own, so that a worker's share of a route is the route's share of its
 * pool.  Pools beyond the limit share the last counter.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_POOL_TRAFFIC_H
#define FPMSCOPE_ANALYZE_SUMMARY_POOL_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/intern.h"

enum { POOL_TRAFFIC_POOLS = 32 };

/* The pools in the order in which they came.  All zero is none. */
struct pool_names {
    text_id pools[POOL_TRAFFIC_POOLS];
    size_t count;
};

/* By the number of the pool.  All zero is no traffic. */
struct pool_traffic {
    uint64_t requests[POOL_TRAFFIC_POOLS];
};

/* The pool's number; text 0 is a pool of which the name is not known. */
size_t pool_number(struct pool_names *names, text_id pool);

void pool_traffic_merge(struct pool_traffic *into, const struct pool_traffic *from);

/* The number of the pool with the most requests. */
size_t pool_traffic_main(const struct pool_traffic *traffic);

#endif
