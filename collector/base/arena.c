/* arena.c - blocks of 64 KiB in a list; a text that is larger gets a block of its own. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BLOCK_BYTES = 64 * 1024, ARENA_ALIGN_BYTES = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used_bytes, size_bytes;
    _Alignas(ARENA_ALIGN_BYTES) char bytes[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_release(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks; block;) {
        struct arena_block *next = block->next;

        free(block);
        block = next;
    }
    arena->blocks = NULL;
    arena->used_bytes = 0;
}

static struct arena_block *arena_grow(struct arena *arena, size_t size_bytes)
{
    size_t room_bytes = size_bytes > ARENA_BLOCK_BYTES ? size_bytes : ARENA_BLOCK_BYTES;
    struct arena_block *block = malloc(sizeof *block + room_bytes);

    if (!block)
        return NULL;
    block->next = arena->blocks;
    block->used_bytes = 0;
    block->size_bytes = room_bytes;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    struct arena_block *block = arena->blocks;

    if (size_bytes > arena->limit_bytes - arena->used_bytes)
        return NULL;
    size_bytes = (size_bytes + ARENA_ALIGN_BYTES - 1) & ~(size_t) (ARENA_ALIGN_BYTES - 1);
    if (size_bytes > arena->limit_bytes - arena->used_bytes)
        return NULL;
    if (!block || block->size_bytes - block->used_bytes < size_bytes)
        block = arena_grow(arena, size_bytes);
    if (!block)
        return NULL;
    void *at = block->bytes + block->used_bytes;

    block->used_bytes += size_bytes;
    arena->used_bytes += size_bytes;
    return at;
}

struct slice arena_copy(struct arena *arena, struct slice text)
{
    char *copy = text.len_bytes < SIZE_MAX ? arena_alloc(arena, text.len_bytes + 1) : NULL;

    if (!copy)
        return (struct slice){0};
    if (text.len_bytes > 0)
        memcpy(copy, text.ptr, text.len_bytes);
    copy[text.len_bytes] = '\0';
    return (struct slice){.ptr = copy, .len_bytes = text.len_bytes};
}

struct slice arena_format(struct arena *arena, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0)
        return (struct slice){0};
    if ((size_t) n < sizeof line)
        return arena_copy(arena, (struct slice){.ptr = line, .len_bytes = (size_t) n});
    char *text = arena_alloc(arena, (size_t) n + 1);

    if (!text)
        return (struct slice){0};
    va_start(args, format);
    vsnprintf(text, (size_t) n + 1, format, args);
    va_end(args);
    return (struct slice){.ptr = text, .len_bytes = (size_t) n};
}
