/*
 * heap_walk.h - how much of a glibc heap is free, and how much of that malloc_trim(0) would give
 * back, found from outside by walking the chunks.
 *
 * Picture a shelf of books that stand close together: each says how thick it is and whether the one
 * before it is still wanted, so a walk along the shelf finds every gap.  Only whole boards can be
 * taken off the shelf, and only boards that are still there:
 *
 *   used | free ............................................ | used | free .. | top (free)
 *            page   [ page ][ page ][ page ]  page
 *            holes  `------- trim --------'  holes
 *
 * A chunk (glibc 2.26 to 2.41, 64 bit): size word at +8, multiple of 16, at least 32; its lowest
 * bit says that the chunk BEFORE is in use.  What trim counts is what glibc's mtrim() would: whole
 * pages between 48 bytes into the chunk and its end, of the last one (top) all but MINSIZE and a
 * page.
 *
 * Small chunks in a fastbin keep their neighbour's bit until glibc consolidates, which
 * malloc_trim() begins with; libxml2's trees are made of those.  They are told by their first word,
 * the next of the list, which glibc since 2.32 stores as (its own address >> 12) ^ next: hardly any
 * other word decodes to an aligned address in the heap.  Before 2.32 they count as used: a lower
 * bound.  So do the few larger chunks of the thread cache.  A block that the program has never
 * written to may pass for one.
 *
 * The process goes on meanwhile, and may lie: a size that makes no sense ends the walk, and what
 * was found until then is a lower bound.  Reads 8 bytes of each chunk.  Pure.
 */
#ifndef FPMSCOPE_INGEST_HEAP_WALK_H
#define FPMSCOPE_INGEST_HEAP_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HEAP_PAGE_BYTES = 4096 };

/* How the walk sees the memory. */
struct heap_memory {
    void *ctx;
    /* Up to `len_bytes` from `address`, as many as can be had; 0 or negative: none. */
    ssize_t (*read)(void *ctx, uint64_t address, void *buffer, size_t len_bytes);
    /* Of the page that `address` lies in. */
    bool (*is_resident)(void *ctx, uint64_t address);
};

struct heap_found {
    uint64_t chunks;
    uint64_t free_bytes;
    uint64_t trim_bytes;  /* whole resident pages of them */
    uint64_t holes_bytes; /* free bytes in pages that are also used: no trim helps */
    bool is_whole;        /* the walk came to the end of the heap */
};

/* The heap from `begin` to `end`, both of a page. */
struct heap_found heap_walk(const struct heap_memory *memory, uint64_t begin, uint64_t end);

#endif
