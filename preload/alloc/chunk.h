/*
 * chunk.h - the usable size of a block, read from the header that glibc's malloc puts before it.
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

/* An mmapped block, which is rare, has no neighbour that lends it a word. */
static inline bool chunk_is_mapped(size_t header)
{
    return (header & CHUNK_MMAPPED) != 0;
}

/* Of a block in an arena. */
static inline size_t chunk_arena_bytes(size_t header)
{
    return (header & ~(size_t) CHUNK_FLAG_BITS) - sizeof(size_t);
}

/* Of any; `ptr` is not NULL. */
static inline size_t chunk_usable_bytes(const void *ptr)
{
    size_t header = chunk_header(ptr), arena_bytes = chunk_arena_bytes(header);

    return chunk_is_mapped(header) ? arena_bytes - sizeof(size_t) : arena_bytes;
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
