/*
 * gateway_wanted.c - the memory of what matters: pairs of a path and two seconds.
 *
 * The first pass marks the surroundings of every failure; the second keeps only what falls on a
 * mark.  Marks are keyed by path without query, because a store may mask query strings.
 */
#include "analyze/gateway/gateway_parts.h"

enum {
    BUCKET_US = 2 * SECOND_US,
    BUCKETS_MAX = 1024, /* of one question: requests that run longer are looked up in part */
};

static uint64_t wanted_key(uint64_t path_hash, int64_t bucket)
{
    return idmap_mix(path_hash ^ idmap_mix((uint64_t) bucket));
}

static uint64_t path_hash(struct slice uri)
{
    ptrdiff_t query = slice_index(uri, '?');

    return intern_hash(query < 0 ? uri : slice_head(uri, (size_t) query));
}

static void mark(struct gateway *gateway, uint64_t hash, int64_t time_us)
{
    for (int64_t bucket = time_us / BUCKET_US - 1; bucket <= time_us / BUCKET_US + 1; bucket++)
        if (idmap_put(&gateway->wanted, wanted_key(hash, bucket), 1) < 0)
            gateway->report.dropped++;
}

static bool has(const struct gateway *gateway, uint64_t hash, int64_t from_us, int64_t to_us)
{
    int64_t last = to_us / BUCKET_US, first = from_us / BUCKET_US;
    uint32_t value;

    if (last - first > BUCKETS_MAX)
        first = last - BUCKETS_MAX;
    for (int64_t bucket = first; bucket <= last; bucket++)
        if (idmap_get(&gateway->wanted, wanted_key(hash, bucket), &value))
            return true;
    return false;
}

void wanted_mark(struct gateway *gateway, struct slice uri, int64_t time_us)
{
    mark(gateway, path_hash(uri), time_us);
}

bool wanted_has(const struct gateway *gateway, struct slice uri, int64_t from_us, int64_t to_us)
{
    return has(gateway, path_hash(uri), from_us, to_us);
}

bool wanted_has_moment(const struct gateway *gateway, int64_t from_us, int64_t to_us)
{
    return has(gateway, 0, from_us, to_us);
}

/* Both ends of a request: the other hop may have ended at either. */
static void mark_both(struct gateway *gateway, text_id uri, int64_t from_us, int64_t to_us)
{
    wanted_mark(gateway, gateway_text(gateway, uri), from_us);
    wanted_mark(gateway, gateway_text(gateway, uri), to_us);
}

void wanted_mark_collected(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->hops.count; i++) {
        const struct hop *hop = gateway_hop(gateway, i);
        int64_t duration_us = hop->duration_us > 0 ? hop->duration_us : 0;

        mark_both(gateway, hop->uri, hop->end_us - duration_us, hop->end_us);
        mark(gateway, 0, hop->end_us);
    }
    for (size_t i = 0; i < gateway->faults.count; i++) {
        const struct fault *fault = GATEWAY_AT(gateway, faults, fault, i);

        wanted_mark(gateway, gateway_text(gateway, fault->uri), fault->time_us);
    }
    for (size_t i = 0; i < gateway->deaths.count; i++) {
        const struct death *death = gateway_death(gateway, i);

        if (death->request.method)
            mark_both(gateway, death->request.uri, death->request.begin_us, death->time_us);
        if (death->request.method && death->request.response_us > 0)
            wanted_mark(gateway, gateway_text(gateway, death->request.uri),
                        death->request.response_us);
    }
    for (size_t i = 0; i < gateway->fetches.count; i++) {
        const struct fetch *fetch = GATEWAY_AT(gateway, fetches, fetch, i);

        mark_both(gateway, fetch->uri, fetch->start_us, fetch->end_us);
    }
}
