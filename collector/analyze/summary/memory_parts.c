/* memory_parts.c - see memory_parts.h. */
#include "analyze/summary/memory_parts.h"

enum { KIB = 1024, KEPT_MIN_KIB = 8 * 1024, KEPT_SHARE = 4, LOOKS_MIN = 2 };
static const int64_t believable_max = INT64_C(1) << 48;

/* What an event claims, kept between nothing and the largest machine. */
static int64_t believable(int64_t n)
{
    return n < 0 ? 0 : n < believable_max ? n : believable_max;
}

static bool keeps_much(const struct memory_seen *seen)
{
    const int64_t kept_kib = seen->trim_kib + seen->holes_kib;

    return kept_kib >= KEPT_MIN_KIB && kept_kib >= seen->anon_kib / KEPT_SHARE;
}

void memory_seen_feed(struct memory_seen *seen, const struct event *event)
{
    if (!event_has(event, EVENT_HAS_anon_kib) || !event_has(event, EVENT_HAS_live1_bytes))
        return;
    seen->at_us = event->ts_us;
    seen->rss_kib = believable(event->rss_kib);
    seen->anon_kib = believable(event->anon_kib);
    seen->live_bytes = believable(event->live1_bytes);
    seen->mapped_kib = believable(event->mmap1_kib);
    if (!event_has(event, EVENT_HAS_trim_kib) || !event_has(event, EVENT_HAS_holes_kib))
        return;
    seen->measured = true;
    seen->trim_kib = believable(event->trim_kib);
    seen->holes_kib = believable(event->holes_kib);
    seen->kept_looks = keeps_much(seen) ? seen->kept_looks + 1 : 0;
}

bool memory_is_fragmented(const struct memory_seen *seen)
{
    return seen->kept_looks >= LOOKS_MIN;
}

/* As much of `wanted` as is left. */
static int64_t take(int64_t *left, int64_t wanted)
{
    const int64_t taken = wanted < *left ? wanted : *left;

    *left -= taken;
    return taken;
}

struct memory_parts memory_parts_of(const struct memory_seen *seen)
{
    int64_t left = (seen->anon_kib < seen->rss_kib ? seen->anon_kib : seen->rss_kib) * KIB;
    struct memory_parts parts = {.shared_bytes = seen->rss_kib * KIB - left};

    parts.trim_bytes = take(&left, seen->trim_kib * KIB);
    parts.holes_bytes = take(&left, seen->holes_kib * KIB);
    parts.live_bytes = take(&left, seen->live_bytes);
    parts.mapped_bytes = take(&left, seen->mapped_kib * KIB);
    parts.other_bytes = left;
    return parts;
}
