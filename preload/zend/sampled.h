/*
 * sampled.h - handlers for the Zend heap that sample it: every byte has the same small chance
 * (alloc/sampler.h), and what is picked goes into the picture with its PHP stack.
 *
 * A call that picks nothing costs two stores for the heap's flag and a subtraction, a free the look
 * at one place of a table.
 *
 * Main thread only; errno is kept.
 */
#ifndef FPMSCOPE_ZEND_SAMPLED_H
#define FPMSCOPE_ZEND_SAMPLED_H

#include <stdint.h>

#include "stack/worker_stacks.h"
#include "zend/heap.h"
#include "zend/picture.h"

enum {
    SAMPLED_FIRST_INTERVAL_BYTES = 32 * 1024,
    /* What an armed request costs beside its samples, whose time is measured: each call, and once
     * its messages, the clearing, a cold cache (base/pace.h; tests/bench/RESULTS.md). */
    SAMPLED_CALL_PS = 4500,
    SAMPLED_REQUEST_NS = 15 * 1000,
};

/* Borrowed for the life of the process. */
struct sampled_setup {
    const struct zend_heap *heap;
    struct worker_stacks *stacks;
    uint64_t seed;
};

void sampled_start(const struct sampled_setup *setup);

/* A request begins, with an empty picture. */
void sampled_begin(struct picture *picture, uint64_t interval_bytes);

extern const struct zend_handlers sampled_handlers;

/* Mean distance of picks; it doubles when the picture is full. */
uint64_t sampled_interval_bytes(void);

/* CPU time that this request's handlers have taken, an estimate. */
uint64_t sampled_cost_ns(void);

/* The index in the picture of the stack of this moment; PICTURE_OTHERS without PHP code. */
uint32_t sampled_stack_of_now(void);

#endif
