/*
 * memory_parts.h - where the memory of a worker is, and whether the allocator keeps too much of it.
 *
 * Picture a tenant's flat: furniture in use (live), the rooms of the Zend heap (mapped), empty
 * rooms that were never handed back (trim), and corners between the furniture where nothing else
 * fits (holes).  An allocator that keeps much of what was freed is called fragmented when it does
 * so each time one looks, with requests in between: a page that was just freed is no finding.
 *
 * Pure.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_MEMORY_PARTS_H
#define FPMSCOPE_ANALYZE_SUMMARY_MEMORY_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"

/* As last seen in `rss` events of one worker. */
struct memory_seen {
    int64_t at_us; /* of the last that said more than the size; 0: none */
    int64_t rss_kib, anon_kib, live_bytes, mapped_kib;
    int64_t trim_kib, holes_kib; /* 0 when never measured */
    bool measured;
    uint32_t kept_looks; /* measurements in a row that found much kept */
};

/* Bytes, none negative; their sum is the RSS. */
struct memory_parts {
#define MEMORY_PART(field, words) int64_t field##_bytes;
#include "analyze/summary/memory_parts.def"
};

void memory_seen_feed(struct memory_seen *seen, const struct event *event);

/* Two measurements in a row found at least 8 MiB, and a quarter of the anonymous memory, free. */
bool memory_is_fragmented(const struct memory_seen *seen);

/* What does not fit into the RSS (a mapping that nobody touched) is cut: from mapped before live.
 */
struct memory_parts memory_parts_of(const struct memory_seen *seen);

#endif
