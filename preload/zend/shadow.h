/*
 * shadow.h - who owns each live block of the Zend heap: a number for every 8 bytes of it.
 *
 * Picture tracing paper over the heap.  PHP's heap is chunks of 2 MB, aligned to 2 MB; each has a
 * sheet with a 16-bit mark for every 8 bytes, and a block's owner is written over its first ones.
 * Blocks that lie together have their marks together, so that marking costs about as much cache as
 * the block itself.  Huge blocks begin where a chunk would, at an address where no small one can.
 *
 * Sheets come out of one reserved mapping, untouched until they are used; shadow_clear() gives all
 * of it back.  Beyond SHADOW_CHUNKS_MAX (2 GB of heap) blocks have no owner.
 */
#ifndef FPMSCOPE_ZEND_SHADOW_H
#define FPMSCOPE_ZEND_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHADOW_CHUNK_BYTES = 2 << 20,
    SHADOW_GRAIN_BYTES = 8,
    SHADOW_MARKS = SHADOW_CHUNK_BYTES / SHADOW_GRAIN_BYTES,
    SHADOW_CHUNKS_MAX = 1024,
    SHADOW_PLACES = 2 * SHADOW_CHUNKS_MAX,
};

/* Zero-initialised; `sheets` is the caller's: SHADOW_CHUNKS_MAX * SHADOW_MARKS marks, all 0. */
struct shadow {
    uint16_t *sheets;
    uint32_t sheet_count;
    uintptr_t last_chunk; /* the one asked for last, and its sheet */
    uint16_t *last_sheet;
    uintptr_t chunks[SHADOW_PLACES]; /* open addressing; 0: free */
    uint16_t sheet_of[SHADOW_PLACES];
};

/* The sheet of a chunk, made when it is new; NULL when there is no room.  Not for the fast way. */
uint16_t *shadow_find_sheet(struct shadow *shadow, uintptr_t chunk);

/* Forget all chunks; the caller clears the sheets. */
void shadow_forget(struct shadow *shadow);

/* Where the owner of the block at `address` is written; NULL without a sheet. */
static inline uint16_t *shadow_mark(struct shadow *shadow, uintptr_t address)
{
    const uintptr_t chunk = address & ~(uintptr_t) (SHADOW_CHUNK_BYTES - 1);
    uint16_t *sheet = shadow->last_sheet;

    if (__builtin_expect(chunk != shadow->last_chunk, 0))
        sheet = shadow_find_sheet(shadow, chunk);
    return sheet ? sheet + (address - chunk) / SHADOW_GRAIN_BYTES : NULL;
}

#endif
