/*
 * exact_stacks.h - the stacks of the exact mode: their texts, kept until somebody wants them.
 *
 * Most stacks allocate nothing that survives its request, and are never told.  Whether one does is
 * known at the request's end, when the names in its frames may be gone with the script's code.  So
 * the text of a stack is written when it is first met in this worker, into memory of our own, and
 * found again by the hash of its contents (stack_table.h says how sure that is).
 *
 * Zero-initialised, fixed memory given by the caller, of which the first pages are touched.  A full
 * one is emptied at the beginning of a request.  Main thread.
 */
#ifndef FPMSCOPE_ALLOC_EXACT_STACKS_H
#define FPMSCOPE_ALLOC_EXACT_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EXACT_STACKS_MAX = 1 << 14,
    EXACT_STACK_PLACES = 2 * EXACT_STACKS_MAX,
    EXACT_STACK_TEXTS_BYTES = 32 << 20,
    EXACT_STACK_NONE = 0,
};

struct exact_stack {
    uint64_t hash;
    uint64_t seq;   /* request in which it has the group */
    uint32_t group; /* as the caller numbers them */
    uint32_t text_at;
    uint16_t pc_count; /* program counters come first, then the text of the PHP frames */
    uint16_t php_len_bytes;
};

struct exact_stacks {
    uint32_t count; /* items[1..count] are in use */
    uint32_t text_len_bytes;
    uint16_t places[EXACT_STACK_PLACES]; /* index into items[]; 0: free */
    struct exact_stack items[EXACT_STACKS_MAX];
    char texts[EXACT_STACK_TEXTS_BYTES];
};

/* The stack with that hash, made without a text when it is new; EXACT_STACK_NONE: no room. */
uint32_t exact_stacks_put(struct exact_stacks *stacks, uint64_t hash, bool *ret_new);

/* The text of the one that was made last: its program counters are copied, PHP's frames go to where
 * the answer points, at most *ret_room_bytes, and exact_stacks_php_written() ends it. */
char *exact_stacks_write(struct exact_stacks *stacks, const uintptr_t *pcs, size_t pc_count,
                         size_t *ret_room_bytes);
void exact_stacks_php_written(struct exact_stacks *stacks, size_t len_bytes);

const char *exact_stacks_pcs(const struct exact_stacks *stacks, const struct exact_stack *stack);
const char *exact_stacks_php(const struct exact_stacks *stacks, const struct exact_stack *stack);

/* There is hardly room for another request's. */
bool exact_stacks_are_full(const struct exact_stacks *stacks);

#endif
