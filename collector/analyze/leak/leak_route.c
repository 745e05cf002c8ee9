/*
 * leak_route.c - routes by text, bounded.
 *
 * Eviction is the clock algorithm: each hit gives a route some credit, the hand takes some away and
 * evicts the first route without any.  A scanner's million paths, hit once each, push each other
 * out and leave the shop's own routes alone.
 */
#include "analyze/leak/leak_route.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { CREDIT_MAX = 200 };

static struct leak_route_state *evict_one(struct leak_analyzer *analyzer)
{
    struct leak_route_state *route;

    for (;;) {
        route = &analyzer->routes[analyzer->route_hand];
        analyzer->route_hand = (analyzer->route_hand + 1) % analyzer->options.max_routes;
        if (!route->used)
            return route;
        if (route->credit == 0)
            break;
        route->credit /= 2;
    }
    idmap_remove(&analyzer->route_map, XXH3_64bits(route->uri, route->uri_bytes));
    free(route->uri);
    route->used = false;
    analyzer->coverage.evicted_routes++;
    return route;
}

static uint32_t ref_of(const struct leak_analyzer *analyzer, const struct leak_route_state *route)
{
    return route->generation << LEAK_SLOT_BITS | (uint32_t) (route - analyzer->routes);
}

static uint32_t add(struct leak_analyzer *analyzer, struct slice uri, uint64_t hash)
{
    char *text = malloc(uri.len_bytes + 1);
    struct leak_route_state *route;
    uint32_t generation;

    if (!text)
        return 0;
    memcpy(text, uri.ptr, uri.len_bytes);
    text[uri.len_bytes] = '\0';
    route = evict_one(analyzer);
    /* 20 bits go round; 0 stays free, so that no reference is 0. */
    generation = (route->generation + 1) & ((1u << (32 - LEAK_SLOT_BITS)) - 1);
    *route = (struct leak_route_state){.uri = text,
                                       .uri_bytes = (uint32_t) uri.len_bytes,
                                       .generation = generation ? generation : 1,
                                       .used = true,
                                       .first_seen_us = -1,
                                       .flagged_at = -1,
                                       .verdict = LEAK_VERDICT_insufficient};
    idmap_put(&analyzer->route_map, hash, (uint32_t) (route - analyzer->routes));
    return ref_of(analyzer, route);
}

uint32_t leak_route_intern(struct leak_analyzer *analyzer, struct slice uri)
{
    const uint64_t hash = XXH3_64bits(uri.ptr, uri.len_bytes);
    const uint32_t slot = leak_lookup(&analyzer->route_map, hash);
    struct leak_route_state *route;

    if (slot == LEAK_NONE)
        return add(analyzer, uri, hash);
    /* Two texts with one 64-bit hash would share a row: at 4,095 rows not worth a comparison. */
    route = &analyzer->routes[slot];
    if (route->credit < CREDIT_MAX)
        route->credit++;
    return ref_of(analyzer, route);
}
