/* route_ledger.h - per route: hits, errors, workers, Zend peaks, when it was seen. */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_ROUTE_LEDGER_H
#define FPMSCOPE_ANALYZE_SUMMARY_ROUTE_LEDGER_H

#include <stdint.h>

#include "analyze/summary/pool_traffic.h"
#include "base/array.h"
#include "base/histogram.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "model/event.h"

struct route_row {
    text_id route;
    uint64_t hits, errors, workers; /* no hits: merged into another row */
    struct pool_traffic pools;
    int64_t first_seen_us, last_seen_us;
    struct histogram peak_kib;
};

struct route_ledger {
    struct array rows;
    struct idmap by_route;   /* text_id -> index */
    struct idmap seen_pairs; /* (route, worker) that were counted in `workers` */
};

void route_ledger_init(struct route_ledger *ledger, size_t limit);
void route_ledger_release(struct route_ledger *ledger);

/* Count a finished request (`req`) of `route` in the pool of that number; `pid` tells workers
 * apart.
 */
void route_ledger_feed(struct route_ledger *ledger, text_id route, size_t pool,
                       const struct event *event);

/* The hits of `row` belong to `route`, whose row exists, as it turned out; `row` keeps none.
 * Workers that served both are counted once, as if the smaller number were part of the larger. */
void route_ledger_merge(struct route_ledger *ledger, struct route_row *row, text_id route);

/*
 * Median of the routes' typical peaks, KiB: what an ordinary page of this shop takes.  The measure
 * against which a heavy route is called heavy; 0 with fewer than two routes.
 */
double route_ledger_ordinary_peak_kib(const struct route_ledger *ledger);

#endif
