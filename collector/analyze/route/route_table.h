/*
 * route_table.h - at most so many routes, whatever the visitors ask for.
 *
 * Templates take out what is plainly a value; titles and SKUs look like words.  The table watches
 * how many different children a path has and, when there are too many, writes `{*}` for them:
 *
 *   /blue-shirt.html, /red-socks.html, ... (65 of them)   ->  /{*}.html
 *   /brand/acme/jobs, /brand/other/jobs, ...              ->  /brand/{*}/jobs
 *
 * Children of one parent are counted by shape: pages (`x`), pages with a slash (`x/`), pages with
 * an extension (`x.html`) and folders (`x/...`), so that ten thousand products at the root leave
 * /checkout/... alone.  Placeholders ({id}) are one child and are never counted.  When a shape is
 * folded, a child that has at least one sixteenth of its hits keeps its name; everything else of
 * that shape is `{*}` from then on.  When the table is full, the number of children that a shape
 * may have is halved and everything is folded again; only when that does not help new routes are
 * called `{other}`.
 *
 * The answer depends on the order of calls alone (no clock, no random numbers).  A call costs one
 * hash lookup per segment; folding costs as much as the nodes that it removes.  Memory is bounded
 * by `max_nodes`.  A name that was given stays valid as a name, but may get no further hits: the
 * caller lets it age.  Not thread-safe.
 */
#ifndef FPMSCOPE_ANALYZE_ROUTE_ROUTE_TABLE_H
#define FPMSCOPE_ANALYZE_ROUTE_ROUTE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "analyze/route/route.h"

struct route_table;

/* 0 in a field means its default. */
struct route_table_limits {
    uint32_t max_routes;   /* live names, {other} apart: 1024 */
    uint32_t max_nodes;    /* segments remembered, about 150 bytes each: 8 * max_routes */
    uint32_t max_children; /* of one parent and shape: 64 */
};

struct route_table_stats {
    uint32_t routes, nodes;
    uint32_t max_children;  /* in force now */
    uint64_t folded_routes; /* names that were folded away since birth */
    uint64_t other_hits;    /* answers that were {other} */
};

/* NULL without memory. */
struct route_table *route_table_new(const struct route_table_limits *limits);
void route_table_free(struct route_table *table); /* NULL is allowed */

/*
 * Count one hit of `route` (a template of route_of_uri) and say under which name it goes.
 * `ret_name` may be `route` itself.
 */
void route_table_hit(struct route_table *table, const struct route *route, struct route *ret_name);

/*
 * The name that `route` has by now, without counting a hit: for a request that was seen in part
 * only (its worker died).  `ret_name` may be `route` itself.
 */
void route_table_name(const struct route_table *table, const struct route *route,
                      struct route *ret_name);

struct route_table_stats route_table_stats(const struct route_table *table);

#endif
