/*
 * ledger.h - the exact books: native bytes allocated and freed by the whole process.
 *
 * Picture a wall of till rolls, one per thread.  Each thread writes on its own roll without asking
 * anybody; who wants to know what the shop holds adds up all rolls.  A thread's own roll says
 * nothing: what libcurl's resolver thread allocates, the main thread frees.
 *
 *   slots[]   one writer each, only ever growing; given back when the thread ends, and then
 *             continued by the next one.  All taken: the overflow slot, with atomic adds.
 *   room      the thread that runs PHP, and makes nearly all allocations, keeps a slip beside its
 *             roll: it is granted room up to the next sample, malloc() counts that down in
 *             thread-local storage, and the roll is settled when somebody asks.
 *   live      = sum of allocated - sum of freed.  Blocks from before the ledger was opened make it
 *             negative when freed: compare two moments, never read one alone.
 *
 * Sizes are those of chunk.h, or usable sizes, so that a free needs no memory of the request for
 * the block.
 */
#ifndef FPMSCOPE_ALLOC_LEDGER_H
#define FPMSCOPE_ALLOC_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alloc/chunk.h"
#include "base/thread.h"

enum { LEDGER_SLOTS = 64, LEDGER_LINE_BYTES = 64 };

#define LEDGER_NEVER UINT64_MAX

struct ledger_slot {
    uint64_t allocated_bytes;
    uint64_t freed_bytes;
    uint64_t sample_at_bytes; /* of allocated_bytes; LEDGER_NEVER: this thread is not sampled */
    uint32_t owned;
} __attribute__((aligned(LEDGER_LINE_BYTES)));

struct ledger_sums {
    uint64_t allocated_bytes, freed_bytes;
};

/* In the constructor of a process that is watched: open the books and give this thread a slot.
 * `size_of` a block.  `per_thread`: threads may have slots, since the size of a block is known
 * without a call (chunk_trust()) or the allocator counts by itself; otherwise all share one. */
void ledger_open(size_t (*size_of)(void *ptr), bool per_thread);

/* The allocator counts by itself: `refresh` writes the slot of the thread that runs PHP, and is
 * called there before the slot is looked at. */
void ledger_refresh_by(void (*refresh)(void));

/* In a fork child, where only the calling thread has survived. */
void ledger_after_fork(void);

/* Sum over all threads, on the one that runs PHP.  Exact for it and for all that are quiet. */
struct ledger_sums ledger_sum(void);

static inline int64_t ledger_live_bytes(struct ledger_sums sums)
{
    return (int64_t) (sums.allocated_bytes - sums.freed_bytes);
}

/* Write this thread's slip into its slot, and take the room away; give it room again, up to the
 * next sample.  Both do nothing on other threads, and without a slot. */
void ledger_settle(void);
void ledger_grant(void);

/* This thread is to be sampled after so many bytes; LEDGER_NEVER: not at all. */
void ledger_sample_after(uint64_t gap_bytes);

/* The slow path, when thread_self.slot is NULL: true when the thread has a slot now, and the caller
 * shall take the fast one. */
bool ledger_adopt(void);

/* The size of a block as the books have it. */
size_t ledger_block_bytes(void *ptr);

/* The slow path without a slot: the size of a block as the books have it, 0 when this call is not
 * to be counted (the ledger is closed, or the guard is up); and shared counters for it. */
size_t ledger_size(void *ptr);
void ledger_add_shared(size_t bytes);
void ledger_remove_shared(size_t bytes);

/* The owner's counters change by plain adds; relaxed stores keep other threads' reads whole. */
static inline uint64_t ledger_add(struct ledger_slot *slot, size_t bytes)
{
    uint64_t total = slot->allocated_bytes + bytes;

    __atomic_store_n(&slot->allocated_bytes, total, __ATOMIC_RELAXED);
    return total;
}

static inline void ledger_remove(struct ledger_slot *slot, size_t bytes)
{
    __atomic_store_n(&slot->freed_bytes, slot->freed_bytes + bytes, __ATOMIC_RELAXED);
}

#endif
