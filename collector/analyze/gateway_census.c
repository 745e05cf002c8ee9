/*
 * gateway_census.c - how many workers live and how many are busy, and the stretches of time in
 * which nobody was free or nobody was there.  A stretch explains a refusal when no error log does.
 */
#include "analyze/gateway_parts.h"

enum {
    SPAN_MIN_US = 50000, /* a pool that is busy for less refuses nobody */
    HERDS_MAX = 1024,
};

/* The workers of one master. */
struct herd {
    int64_t master;
    int alive, busy;
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

static struct herd *herd_of(struct gateway *gateway, int64_t master)
{
    for (size_t i = 0; i < gateway->herds.count; i++) {
        struct herd *herd = array_at(&gateway->herds, i);

        if (herd->master == master)
            return herd;
    }
    struct herd *herd = array_add(&gateway->herds);

    if (herd)
        *herd = (struct herd){.master = master, .busy_since_us = -1};
    return herd;
}

static void end_span(struct gateway *gateway, enum span_kind kind, int64_t from_us, int64_t to_us,
                     int workers)
{
    if (from_us < 0 || to_us - from_us < SPAN_MIN_US || !(gateway->pass & GATEWAY_SCAN))
        return;
    struct span *span = array_add(&gateway->spans);

    if (span)
        *span = (struct span){kind, from_us, to_us, workers, false};
}

static void note_down(struct gateway *gateway, int64_t now_us)
{
    if (gateway->alive_workers > 0 && gateway->down_since_us >= 0) {
        end_span(gateway, SPAN_DOWN, gateway->down_since_us, now_us, 0);
        gateway->down_since_us = -1;
    } else if (gateway->alive_workers <= 0 && gateway->down_since_us < 0) {
        gateway->down_since_us = now_us;
    }
}

void census_change(struct gateway *gateway, int64_t master, int alive, int busy, int64_t now_us)
{
    struct herd *herd = herd_of(gateway, master);

    if (!herd)
        return;
    int workers = herd->alive;

    herd->alive += alive;
    herd->busy += busy;
    gateway->alive_workers += alive;
    bool is_busy = herd->alive > 0 && herd->busy >= herd->alive;

    if (herd->busy_since_us >= 0 && !is_busy) {
        end_span(gateway, SPAN_BUSY, herd->busy_since_us, now_us, workers);
        herd->busy_since_us = -1;
    } else if (herd->busy_since_us < 0 && is_busy) {
        herd->busy_since_us = now_us;
    }
    note_down(gateway, now_us);
}

void census_end(struct gateway *gateway)
{
    end_span(gateway, SPAN_DOWN, gateway->down_since_us, INT64_MAX, 0);
    gateway->herds.count = 0;
    gateway->alive_workers = 0;
    gateway->down_since_us = -1;
}
