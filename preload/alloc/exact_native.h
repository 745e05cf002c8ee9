/*
 * exact_native.h - the exact mode's half of the C heap: every block that the main thread makes in a
 * request belongs to the stack that made it.
 *
 *   malloc()   exact_native_born     who is here (exact_paths.h), by which name (exact_stacks.h),
 *                                    counted where (exact_groups.h), written beside the heap
 *                                    (exact_marks.h)
 *   free()     exact_native_died     any thread: the mark says which group is smaller now
 *
 *   request's end   exact_native_tell_changes     FREED, SHRUNK: of earlier requests
 *                   exact_native_tell_seen        SEEN: some of this request's stacks
 *                   exact_native_tell_survivors   SAMPLE: one for each group that has anything
 * left, with its whole size; interval 1
 *
 * So the collector hears of stacks and bytes, never of blocks.
 *
 * Memory: one reserved mapping outside of malloc and of the ledger, of which a quarter of the
 * heap's size is used, some 100 bytes for each stack that has something alive in each request, and
 * the texts.
 */
#ifndef FPMSCOPE_ALLOC_EXACT_NATIVE_H
#define FPMSCOPE_ALLOC_EXACT_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emit/batch.h"
#include "stack/worker_stacks.h"

enum { EXACT_NATIVE_SEEN_MAX = 16 };

/* Borrowed for the life of the process. */
struct exact_native_setup {
    struct worker_stacks *stacks;
    struct batch *batch;
    unsigned grain_bits; /* exact_marks.h */
};

/* A block that its holder is about to give away. */
struct exact_claim {
    uint32_t group; /* 0: not one of ours */
    size_t bytes;
};

/* In a function that the host's main loop has called: whatever serves a request stands no further
 * out on the stack.  False: no memory. */
bool exact_native_start(const struct exact_native_setup *setup);

/* While no other thread is there: the memory goes back, and nothing is known any more. */
void exact_native_stop(void);

/* A request begins.  Main thread, as all but claim, release and restore. */
void exact_native_begin(uint64_t seq);

/* `bytes`: as the ledger counts it; `caller`: return address of the wrapped function.  False: there
 * was no room for it. */
bool exact_native_born(void *ptr, size_t bytes, const void *caller);

/* Before the real free. */
struct exact_claim exact_native_claim(void *ptr);
void exact_native_release(struct exact_claim claim, bool realloced);
/* It stays after all. */
void exact_native_restore(void *ptr, struct exact_claim claim);

static inline void exact_native_died(void *ptr)
{
    exact_native_release(exact_native_claim(ptr), false);
}

/* `seq`: of the request that is over. */
void exact_native_tell_changes(uint64_t seq);
void exact_native_tell_seen(void);
void exact_native_tell_survivors(void);

#endif
