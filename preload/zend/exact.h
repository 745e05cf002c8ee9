/*
 * exact.h - handlers for the Zend heap that attribute every allocation, for an investigation that
 * may cost something (FPMSCOPE_EXACT=1, `fpmscope run --exact`).
 *
 * The same picture as of a sampled request, but its weights are the blocks' own sizes: who made a
 * block is found by context.h and written down by shadow.h.
 *
 * Memory: the picture, a mapping of 512 MB that is reserved, not used (a quarter of the heap's own
 * size while a request runs, and given back after it).
 */
#ifndef FPMSCOPE_ZEND_EXACT_H
#define FPMSCOPE_ZEND_EXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/worker_stacks.h"
#include "zend/heap.h"
#include "zend/picture.h"

/* Borrowed for the life of the process. */
struct exact_setup {
    const struct zend_heap *heap;
    const struct worker_stacks *stacks;
    uint32_t (*stack_of_now)(void); /* slow and sure: the index in the picture */
};

/* False: the memory cannot be had, or PHP stacks are off. */
bool exact_begin(const struct exact_setup *setup, struct picture *picture);

extern const struct zend_handlers exact_handlers;

/* The request is over; its memory goes back. */
void exact_end(void);

#endif
