/*
 * gateway_census.c - how many workers live and how many are busy, and the stretches of time in
 * which nobody was free or nobody was there.  A stretch explains a refusal when no error log does.
 *
 * Counted for each master, and for each of its pools.  A worker's pool is known from its first
 * request on; as long as a master has workers whose pool is not known, none of its pools is busy:
 * the free one may be theirs.
 */
#include "analyze/gateway/gateway_parts.h"

enum {
    SPAN_MIN_US = 50000, /* a pool that is busy for less refuses nobody */
    HERDS_MAX = 1024,
};

/* The workers of one master (pool 0), or of one of its pools. */
struct herd {
    int64_t master;
    text_id pool;
    int alive, busy;
    int placed;            /* of a master: workers whose pool is known */
    int64_t busy_since_us; /* -1: somebody is free */
};

void census_init(struct gateway *gateway)
{
    array_init(&gateway->herds, sizeof(struct herd), HERDS_MAX);
    gateway->alive_workers = 0;
    gateway->down_since_us = -1;
}

void census_release(struct gateway *gateway)
{
    array_release(&gateway->herds);
}

static struct herd *herd_of(struct gateway *gateway, int64_t master, text_id pool)
{
    for (size_t i = 0; i < gateway->herds.count; i++) {
        struct herd *herd = array_at(&gateway->herds, i);

        if (herd->master == master && herd->pool == pool)
            return herd;
    }
    struct herd *herd = array_add(&gateway->herds);

    if (herd)
        *herd = (struct herd){.master = master, .pool = pool, .busy_since_us = -1};
    return herd;
}

static void end_span(struct gateway *gateway, enum span_kind kind, text_id pool, int64_t from_us,
                     int64_t to_us, int workers)
{
    if (from_us < 0 || to_us - from_us < SPAN_MIN_US || !(gateway->pass & GATEWAY_SCAN))
        return;
    struct span *span = array_add(&gateway->spans);

    if (span)
        *span = (struct span){kind, pool, from_us, to_us, workers};
}

static void note_down(struct gateway *gateway, int64_t now_us)
{
    if (gateway->alive_workers > 0 && gateway->down_since_us >= 0) {
        end_span(gateway, SPAN_DOWN, 0, gateway->down_since_us, now_us, 0);
        gateway->down_since_us = -1;
    } else if (gateway->alive_workers <= 0 && gateway->down_since_us < 0) {
        gateway->down_since_us = now_us;
    }
}

static bool has_nobody_free(struct gateway *gateway, const struct herd *herd)
{
    const struct herd *all = herd->pool ? herd_of(gateway, herd->master, 0) : NULL;

    return herd->alive > 0 && herd->busy >= herd->alive && (!all || all->placed >= all->alive);
}

static void herd_change(struct gateway *gateway, size_t at, int alive, int busy, int64_t now_us)
{
    struct herd *herd = array_at(&gateway->herds, at);
    const int workers = herd->alive;

    herd->alive += alive;
    herd->busy += busy;
    const bool is_busy = has_nobody_free(gateway, herd);

    if (herd->busy_since_us >= 0 && !is_busy) {
        end_span(gateway, SPAN_BUSY, herd->pool, herd->busy_since_us, now_us, workers);
        herd->busy_since_us = -1;
    } else if (herd->busy_since_us < 0 && is_busy) {
        herd->busy_since_us = now_us;
    }
}

static size_t index_of(const struct gateway *gateway, const struct herd *herd)
{
    return (size_t) (herd - (const struct herd *) gateway->herds.items);
}

void census_change(struct gateway *gateway, int64_t master, text_id pool, int alive, int busy,
                   int64_t now_us)
{
    struct herd *all = herd_of(gateway, master, 0);

    if (!all)
        return;
    all->placed += pool ? alive : 0;
    gateway->alive_workers += alive;
    herd_change(gateway, index_of(gateway, all), alive, busy, now_us);
    if (pool) {
        const struct herd *herd = herd_of(gateway, master, pool);

        if (herd)
            herd_change(gateway, index_of(gateway, herd), alive, busy, now_us);
    }
    note_down(gateway, now_us);
}

void census_place(struct gateway *gateway, int64_t master, text_id pool, int64_t now_us)
{
    struct herd *all = herd_of(gateway, master, 0);

    if (!all || !pool)
        return;
    all->placed++;
    const struct herd *herd = herd_of(gateway, master, pool);

    if (herd)
        herd_change(gateway, index_of(gateway, herd), 1, 0, now_us);
}

void census_end(struct gateway *gateway)
{
    end_span(gateway, SPAN_DOWN, 0, gateway->down_since_us, INT64_MAX, 0);
    gateway->herds.count = 0;
    gateway->alive_workers = 0;
    gateway->down_since_us = -1;
}
