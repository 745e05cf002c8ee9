/*
 * live_table.h - the sampled blocks that have not been freed yet.
 *
 * Picture a cloakroom with 256 rails of 8 hooks: a block's address says which rail, so looking for
 * it means looking at 8 neighbouring words.  In front of it stands the doorman of free_filter.h:
 * his board counts the coats of each class of addresses.
 *
 * Who may do what:
 *   insert, drain        the main thread only
 *   may_hold, take       any thread, without a lock: a hook is claimed by one compare-and-swap, and
 *   put_back, release    what was claimed goes to the main thread over a push-only list
 *
 * A block is taken *before* its real free: afterwards another thread may get the same address and
 * be sampled with it.
 */
#ifndef FPMSCOPE_ALLOC_LIVE_TABLE_H
#define FPMSCOPE_ALLOC_LIVE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/free_filter.h"

enum {
    LIVE_RAILS = 256,
    LIVE_HOOKS = 8,
    LIVE_PLACES = LIVE_RAILS * LIVE_HOOKS,
    LIVE_MAX = 1024, /* half of the places: then a rail is full 2 times in 100 */
    LIVE_NONE = UINT16_MAX,
};

struct live_sample {
    uint64_t id, seq, size_bytes, interval_bytes;
    uint64_t freed_seq;
    uint32_t stack;
    uint16_t next;  /* in the list of released places, or of spare samples */
    bool announced; /* the collector was told of it */
    bool realloced;
};

/* Places are scattered; samples are dense, so that a few of them lie on one page of memory. */
struct live_table {
    uint8_t filter[FREE_FILTER_CLASSES]; /* how many samples hash here; 255 sticks */
    uintptr_t addresses[LIVE_PLACES];    /* 0: free; lowest bit set: taken, not yet drained */
    uint16_t samples_at[LIVE_PLACES];    /* of a place that is not free: its index in samples[] */
    struct live_sample samples[LIVE_MAX];
    uint32_t count;
    uint16_t used;     /* samples[] from here on were never used */
    uint16_t spare;    /* head of the list of given back ones plus one; 0: empty */
    uint16_t released; /* head of the list of released places plus one; 0: empty */
};

static inline struct live_sample *live_at(struct live_table *table, uint16_t place)
{
    return &table->samples[table->samples_at[place]];
}

/* False: certainly no sample. */
static inline bool live_may_hold(const struct live_table *table, const void *ptr)
{
    return __atomic_load_n(&table->filter[free_filter_class(ptr)], __ATOMIC_RELAXED) != 0;
}

/* For the thread that inserts: what its free() may go by.  NULL is stopped by it from now on. */
const uint8_t *live_filter(struct live_table *table);

/* Let no free() of any thread pass from now on. */
void live_stop_all(struct live_table *table);

/* The place of the new sample, or LIVE_NONE when the table or the rail is full. */
uint16_t live_insert(struct live_table *table, void *ptr, const struct live_sample *sample);

/* Claim the sample at `ptr`; LIVE_NONE when there is none.  Then exactly one of put_back (the block
 * lives on) and release (it is gone). */
uint16_t live_take(struct live_table *table, void *ptr);
void live_put_back(struct live_table *table, uint16_t place, void *ptr);
void live_release(struct live_table *table, uint16_t place, uint64_t seq, bool realloced);

/* Still there? */
bool live_is_live(const struct live_table *table, uint16_t place, uint64_t id);

/* Empty the list of released samples: `visit` is called for each, then its place is free again. */
void live_drain(struct live_table *table,
                void (*visit)(void *context, const struct live_sample *sample), void *context);

#endif
