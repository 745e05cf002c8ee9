/*
 * arena.h - bytes that all live as long as their owner: allocate, never free one, free all.
 *
 * Used where many small texts are kept until a report is printed.  The ceiling is given at birth;
 * beyond it allocation fails and the caller says what it could not keep.  Not thread-safe.
 */
#ifndef FPMSCOPE_BASE_ARENA_H
#define FPMSCOPE_BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* handed out, over all blocks */
    size_t limit_bytes;
};

/* An empty arena that will hand out at most `limit_bytes`. */
void arena_init(struct arena *arena, size_t limit_bytes);

/* Free everything that came from it. */
void arena_release(struct arena *arena);

/* `size_bytes` bytes aligned for any object, not cleared; NULL at the ceiling or without memory. */
void *arena_alloc(struct arena *arena, size_t size_bytes);

/* A copy of `text` with a NUL behind it; an empty slice when there is no room. */
struct slice arena_copy(struct arena *arena, struct slice text);

/* printf into the arena; an empty slice when there is no room. */
struct slice arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
