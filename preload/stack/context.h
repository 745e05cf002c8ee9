/*
 * context.h - "the same stack as before?", answered from pointers, for the exact mode.
 *
 * Hashing the names of a stack takes a microsecond, which is too much for every allocation.  Here
 * a key is made of the function and opcode pointers of the innermost frames, 20 ns for 10 frames,
 * and a small direct-mapped cache says which stack had that key in this request.
 *
 * Pointers are good within a request, but for code that is freed in it: eval() may put other code
 * at the same place, and is then taken for what was there before.  Frames beyond CONTEXT_DEPTH do
 * not count: two callers of a recursion that deep are one.
 */
#ifndef FPMSCOPE_STACK_CONTEXT_H
#define FPMSCOPE_STACK_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/php_engine.h"
#include "stack/php_layout.h"

enum { CONTEXT_PLACES = 4096, CONTEXT_DEPTH = 64 };

struct context_cache {
    uint64_t keys[CONTEXT_PLACES]; /* 0: free */
    uint32_t stacks[CONTEXT_PLACES];
};

/* The key of this moment; never 0.  Normal context, on the thread that runs PHP. */
uint64_t context_key(const struct php_engine *engine, const struct php_layout *layout);

static inline uint32_t context_place(uint64_t key)
{
    return (uint32_t) (key >> 52);
}
_Static_assert(CONTEXT_PLACES == 1 << 12, "the shift of context_place()");

static inline bool context_find(const struct context_cache *cache, uint64_t key,
                                uint32_t *ret_stack)
{
    const uint32_t place = context_place(key);

    *ret_stack = cache->stacks[place];
    return cache->keys[place] == key;
}

static inline void context_keep(struct context_cache *cache, uint64_t key, uint32_t stack)
{
    const uint32_t place = context_place(key);

    cache->keys[place] = key;
    cache->stacks[place] = stack;
}

#endif
