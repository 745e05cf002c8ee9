/*
 * wrap_malloc.h - the allocator behind the exported malloc family.
 */
#ifndef FPMSCOPE_ALLOC_WRAP_MALLOC_H
#define FPMSCOPE_ALLOC_WRAP_MALLOC_H

#include "alloc/chunk.h"

/* False: a library that was preloaded before us answers malloc(). */
bool wrap_malloc_in_charge(void);

/* The host's own functions, without any counting. */
const struct chunk_allocator *wrap_malloc_host(void);

#endif
