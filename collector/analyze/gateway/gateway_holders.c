/*
 * gateway_holders.c - who held the host's memory: from the kernel's task dump at an OOM kill, or
 * from what the collector saw last before it.
 */
#include "analyze/gateway/gateway_parts.h"

enum {
    DUMPS_MAX = 2048,
    SNAPSHOTS_MAX = 20000,              /* a day or more at the collector's pace */
    SNAPSHOT_OLDEST_US = 90 * SECOND_US /* one is stored every minute at least */
};

void holders_init(struct gateway *gateway)
{
    array_init(&gateway->dumps, sizeof(struct memory_holders), DUMPS_MAX);
    array_init(&gateway->snapshots, sizeof(struct snapshot), SNAPSHOTS_MAX);
}

void holders_release(struct gateway *gateway)
{
    array_release(&gateway->dumps);
    array_release(&gateway->snapshots);
}

void holders_on_task(struct gateway *gateway, struct oom *oom, struct slice comm, int64_t rss_kib)
{
    if (oom->dump == 0 && array_add(&gateway->dumps))
        oom->dump = (uint32_t) gateway->dumps.count; /* its index and one: 0 is none */
    if (oom->dump > 0)
        memory_holders_add(GATEWAY_AT(gateway, dumps, memory_holders, oom->dump - 1), comm, 1,
                           rss_kib);
}

void holders_on_event(struct gateway *gateway, const struct event *event)
{
    struct snapshot *last = gateway->snapshots.count ? GATEWAY_AT(gateway, snapshots, snapshot,
                                                                  gateway->snapshots.count - 1)
                                                     : NULL;

    if (!(gateway->pass & GATEWAY_GATHER))
        return;
    if (!last || last->time_us != event->ts_us) {
        last = array_add(&gateway->snapshots);
        if (!last)
            return;
        last->time_us = event->ts_us;
    }
    if (slice_equal(event->name, SLICE("(available)")))
        last->available_kib = event->rss_kib;
    else
        memory_holders_add(&last->holders, event->name, event->count, event->rss_kib);
}

const struct snapshot *holders_before(const struct gateway *gateway, int64_t time_us)
{
    for (size_t i = gateway->snapshots.count; i-- > 0;) {
        const struct snapshot *snapshot = GATEWAY_AT(gateway, snapshots, snapshot, i);

        if (snapshot->time_us > time_us)
            continue;
        return time_us - snapshot->time_us <= SNAPSHOT_OLDEST_US ? snapshot : NULL;
    }
    return NULL;
}

struct memory_holders holders_at_death(const struct gateway *gateway, const struct death *death,
                                       int64_t *ret_age_us)
{
    const struct oom *oom = death->oom != NONE ? GATEWAY_AT(gateway, ooms, oom, death->oom) : NULL;
    const struct snapshot *snapshot = holders_before(gateway, death->time_us);
    struct memory_holders holders = {0};

    *ret_age_us = 0;
    if (oom && oom->dump > 0) {
        holders = *GATEWAY_AT(gateway, dumps, memory_holders, oom->dump - 1);
    } else if (snapshot) {
        holders = snapshot->holders;
        *ret_age_us = death->time_us - snapshot->time_us;
    }
    memory_holders_sort(&holders);
    return holders;
}
