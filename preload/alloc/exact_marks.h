/*
 * exact_marks.h - who owns each live block of the C heap: a number for every grain of it.
 *
 * Picture tracing paper over the heap, as zend/shadow.h lays it over PHP's.  Memory is ruled into
 * regions; a region in which a block was ever marked has a sheet with a 32-bit mark for each grain,
 * and a block's owner is written over its first one.  The mark of a block is its owner's alone:
 * who holds the block may read and write it without asking anybody, as it may the block itself.  So
 * any thread finds a block and takes its mark away without a lock or an atomic exchange.
 *
 *   exact_marks_make     the main thread only: lays out a new sheet where there is none
 *   exact_marks_find     any thread, for a block that it holds
 *
 * Sheets come out of one reserved mapping, in the order in which they are needed, and stay: a
 * quarter of the heap that was used (glibc, grains of 16 bytes).  A heap of EXACT_SHEETS_MAX
 * regions, 4 GB, is the ceiling; blocks beyond it have no mark.
 */
#ifndef FPMSCOPE_ALLOC_EXACT_MARKS_H
#define FPMSCOPE_ALLOC_EXACT_MARKS_H

#include <stddef.h>
#include <stdint.h>

enum {
    EXACT_SHEET_BITS = 16,
    EXACT_SHEET_MARKS = 1 << EXACT_SHEET_BITS,
    EXACT_SHEETS_MAX = 4096,
    EXACT_SHEET_PLACES = 2 * EXACT_SHEETS_MAX,
};

/* Zero-initialised but for the first two. */
struct exact_marks {
    uint32_t *sheets;    /* the caller's: EXACT_SHEETS_MAX * EXACT_SHEET_MARKS of them, all 0 */
    unsigned grain_bits; /* of an address that two blocks never differ in alone: 4 for 16 bytes */
    uint32_t sheet_count;
    uintptr_t last_region; /* the one that exact_marks_make() was asked for last, and its sheet */
    uint32_t *last_sheet;
    uintptr_t regions[EXACT_SHEET_PLACES]; /* open addressing, only ever growing; 0: free */
    uint16_t sheet_of[EXACT_SHEET_PLACES];
};

static inline uintptr_t exact_marks_region(const struct exact_marks *marks, const void *ptr)
{
    return (uintptr_t) ptr >> (marks->grain_bits + EXACT_SHEET_BITS);
}

static inline size_t exact_marks_index(const struct exact_marks *marks, const void *ptr)
{
    return (uintptr_t) ptr >> marks->grain_bits & (EXACT_SHEET_MARKS - 1);
}

/* The mark of the block at `ptr`, NULL when no block near it was ever marked. */
uint32_t *exact_marks_find(struct exact_marks *marks, const void *ptr);

/* The sheet of a region, laid out when it is new; NULL when there is no room.  Main thread. */
uint32_t *exact_marks_sheet(struct exact_marks *marks, uintptr_t region);

/* The mark of a new block; NULL when there is no room.  Main thread. */
static inline uint32_t *exact_marks_make(struct exact_marks *marks, const void *ptr)
{
    const uintptr_t region = exact_marks_region(marks, ptr);
    uint32_t *sheet = marks->last_sheet;

    if (__builtin_expect(region != marks->last_region || !sheet, 0))
        sheet = exact_marks_sheet(marks, region);
    return sheet ? sheet + exact_marks_index(marks, ptr) : NULL;
}

#endif
