/*
 * samples.h - native samples of this worker: taken in malloc(), told when their request is over.
 *
 *   samples_begin(seq, ...)  a request begins: from here the main thread is sampled
 *   samples_due(...)         malloc() has reached the next pick
 *   samples_freed(ptr)       free() of what may be a sample
 *   samples_end(...)         the request is over: nothing is sampled; the controller learns
 *   samples_tell_freed()     FREED of blocks announced in earlier requests
 *   samples_tell_seen()      SEEN: the stacks of this request's samples
 *   samples_tell_survivors() SAMPLE of this request's blocks that are still there
 *
 * Blocks freed in the request they were allocated in are never mentioned: most are.
 *
 * In exact mode the same calls mean every block instead of samples, and exact_native.h keeps them.
 *
 * Main thread only, except samples_freed() and samples_realloc_*().
 */
#ifndef FPMSCOPE_ALLOC_SAMPLES_H
#define FPMSCOPE_ALLOC_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "alloc/exact_native.h"
#include "alloc/live_table.h"
#include "emit/batch.h"
#include "stack/worker_stacks.h"

enum { SAMPLES_PER_REQUEST_MAX = 512, SAMPLES_BRAKE_EVERY = 32, SAMPLES_SEEN_MAX = 8 };

/* Borrowed for the life of the process. */
struct samples_setup {
    struct worker_stacks *stacks;
    struct batch *batch;
    uint64_t budget_ppm;     /* 0: no sampling */
    uint64_t budgets_ppm;    /* of both heaps together (toll.h) */
    uint64_t interval_bytes; /* 0: the controller's choice */
    uint64_t seed;
    bool exact;          /* every block; the interval is for when that is not possible */
    unsigned grain_bits; /* then: exact_marks.h */
};

struct samples_count {
    uint32_t taken, throttled;
};

extern struct live_table samples_live;

/* NULL, or why blocks are sampled although `exact` was wanted. */
const char *samples_start(const struct samples_setup *setup);

/* The operator's choice of interval at run time; 0: the controller's.  `off`: none at all. */
void samples_wish(uint64_t interval_bytes, bool off);
/* A finer interval for requests of one route, paid by a budget of its own (closeup.h); 0: none. */
void samples_wish_route(uint64_t interval_bytes);
uint64_t samples_interval_bytes(void);

void samples_begin(uint64_t seq, bool is_wished_route);
/* `allocated_bytes`: by the ledger; `cpu_ns`: of this process since it began, 0 when nobody has
 * looked; then nothing is adjusted. */
struct samples_count samples_end(uint64_t allocated_bytes, uint64_t cpu_ns);
/* How much of each budget the hooks of malloc() leave, in millionths of it. */
uint64_t samples_left_ppm(void);
/* In a fork child: the samples are its parent's. */
void samples_abandon(void);
void samples_tell_freed(void);
/* SEEN, when there is anything to tell; before the REQUEST. */
void samples_tell_seen(void);
void samples_tell_survivors(void);

/* `bytes`: as the ledger counts it; `caller`: return address of the wrapped function. */
void samples_due(void *ptr, size_t bytes, const void *caller);

/* Before the real free. */
void samples_freed(void *ptr);

/* Around a real realloc() of what may be a sample. */
struct samples_move {
    struct exact_claim claim;
    uint16_t place;
};

struct samples_move samples_realloc_begin(void *ptr);
void samples_realloc_end(struct samples_move move, void *ptr, bool gone);

#endif
