/* route_ledger.c - per route: hits, errors, workers, Zend peaks, when it was seen. */
#include "analyze/summary/route_ledger.h"

#include <stdlib.h>

enum { PAIRS_PER_ROUTE = 64, HTTP_SERVER_ERROR = 500 };

void route_ledger_init(struct route_ledger *ledger, size_t limit)
{
    array_init(&ledger->rows, sizeof(struct route_row), limit);
    idmap_init(&ledger->by_route, limit);
    idmap_init(&ledger->seen_pairs, limit * PAIRS_PER_ROUTE);
}

void route_ledger_release(struct route_ledger *ledger)
{
    array_release(&ledger->rows);
    idmap_release(&ledger->by_route);
    idmap_release(&ledger->seen_pairs);
}

/* NULL when the route was never fed. */
static struct route_row *find_row(const struct route_ledger *ledger, text_id route)
{
    uint32_t index;

    if (!idmap_get(&ledger->by_route, route, &index))
        return NULL;
    return array_at(&ledger->rows, index);
}

static struct route_row *find_or_add(struct route_ledger *ledger, text_id route, int64_t ts_us)
{
    struct route_row *row = find_row(ledger, route);

    if (row)
        return row;
    row = array_add(&ledger->rows);
    if (!row)
        return NULL;
    if (idmap_put(&ledger->by_route, route, (uint32_t) (ledger->rows.count - 1)) < 0) {
        ledger->rows.count--;
        return NULL;
    }
    row->route = route;
    row->first_seen_us = ts_us;
    return row;
}

static void count_worker(struct route_ledger *ledger, struct route_row *row,
                         const struct event *event)
{
    uint64_t worker = (uint64_t) event->pid << 32 ^ (uint64_t) event->start_ticks;
    uint64_t key = idmap_mix(idmap_mix(worker) + row->route);
    uint32_t value;

    if (!idmap_get(&ledger->seen_pairs, key, &value) && idmap_put(&ledger->seen_pairs, key, 1) == 0)
        row->workers++;
}

void route_ledger_feed(struct route_ledger *ledger, text_id route, size_t pool,
                       const struct event *event)
{
    struct route_row *row = find_or_add(ledger, route, event->ts_us);

    if (!row)
        return;
    row->hits++;
    row->pools.requests[pool]++;
    row->errors += event->status >= HTTP_SERVER_ERROR;
    row->last_seen_us = event->ts_us;
    if (event_has(event, EVENT_HAS_zend_peak_kib))
        histogram_add(&row->peak_kib, (double) event->zend_peak_kib);
    count_worker(ledger, row, event);
}

void route_ledger_merge(struct route_ledger *ledger, struct route_row *row, text_id route)
{
    struct route_row *into = find_row(ledger, route);

    if (!into || into == row)
        return;
    into->hits += row->hits;
    into->errors += row->errors;
    pool_traffic_merge(&into->pools, &row->pools);
    if (row->workers > into->workers)
        into->workers = row->workers;
    if (row->first_seen_us < into->first_seen_us)
        into->first_seen_us = row->first_seen_us;
    if (row->last_seen_us > into->last_seen_us)
        into->last_seen_us = row->last_seen_us;
    histogram_merge(&into->peak_kib, &row->peak_kib);
    row->hits = 0;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

double route_ledger_ordinary_peak_kib(const struct route_ledger *ledger)
{
    size_t rows = ledger->rows.count, count = 0;
    double *medians = rows < 2 ? NULL : calloc(rows, sizeof *medians), ordinary;

    for (size_t i = 0; medians && i < rows; i++) {
        const struct route_row *row = array_at(&ledger->rows, i);

        if (row->hits > 0)
            medians[count++] = histogram_quantile(&row->peak_kib, 0.5);
    }
    if (count < 2) {
        free(medians);
        return 0;
    }
    qsort(medians, count, sizeof *medians, compare_doubles);
    ordinary = medians[(count - 1) / 2];
    free(medians);
    return ordinary;
}
