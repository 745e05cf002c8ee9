/*
 * chunk.h - the size of a block, read from the header that glibc's malloc puts before it.
 *
 * malloc_usable_size() gives the same number for 4 to 6 ns more per pair.  The header is glibc's
 * private affair, so chunk_trust() compares the two at start, and the ledger takes the call where
 * they differ.
 */
#ifndef FPMSCOPE_ALLOC_CHUNK_H
#define FPMSCOPE_ALLOC_CHUNK_H

#include <stdbool.h>
#include <stddef.h>

enum { CHUNK_FLAG_BITS = 7, CHUNK_MMAPPED = 2 };

static inline size_t chunk_header(const void *ptr)
{
    return ((const size_t *) ptr)[-1];
}

/* As the books have it: what the block takes from the heap, less its header.  That is its usable
 * size, and 8 bytes more for an mmapped block, which has no neighbour to borrow a word from: to
 * make an exception of those would cost every pair four instructions. */
static inline size_t chunk_net_bytes(const void *ptr)
{
    return (chunk_header(ptr) & ~(size_t) CHUNK_FLAG_BITS) - sizeof(size_t);
}

/* As malloc_usable_size() has it; `ptr` is not NULL. */
static inline size_t chunk_usable_bytes(const void *ptr)
{
    bool mapped = (chunk_header(ptr) & CHUNK_MMAPPED) != 0;

    return chunk_net_bytes(ptr) - (mapped ? sizeof(size_t) : 0);
}

/* The functions to try chunk_usable_bytes() against. */
struct chunk_allocator {
    void *(*allocate)(size_t bytes);
    void *(*align)(size_t alignment, size_t bytes);
    void *(*resize)(void *ptr, size_t bytes);
    void (*release)(void *ptr);
    size_t (*usable)(void *ptr);
};

/* Small, mapped, aligned, grown and shrunk blocks all agree.  False also when memory is short. */
bool chunk_trust(const struct chunk_allocator *allocator);

#endif
