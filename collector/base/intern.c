/* intern.c - an arena for the bytes, an array for the numbers, a hash table for the way back. */
#include "base/intern.h"

#include <stdlib.h>
#include <xxhash.h>

enum { INTERN_FIRST_CAPACITY = 256 };

void intern_init(struct intern *intern, size_t limit_bytes)
{
    *intern = (struct intern){0};
    arena_init(&intern->arena, limit_bytes);
    idmap_init(&intern->index, UINT32_MAX / 2);
}

void intern_release(struct intern *intern)
{
    arena_release(&intern->arena);
    idmap_release(&intern->index);
    free(intern->texts);
    intern->texts = NULL;
    intern->count = intern->capacity = 0;
}

uint64_t intern_hash(struct slice text)
{
    return XXH3_64bits(text.len_bytes > 0 ? text.ptr : "", text.len_bytes);
}

static bool intern_make_room(struct intern *intern)
{
    if (intern->count < intern->capacity)
        return true;
    uint32_t capacity = intern->capacity ? intern->capacity * 2 : INTERN_FIRST_CAPACITY;
    struct slice *texts = realloc(intern->texts, capacity * sizeof *texts);

    if (!texts)
        return false;
    intern->texts = texts;
    intern->capacity = capacity;
    if (intern->count == 0)
        texts[intern->count++] = SLICE("");
    return true;
}

text_id intern_put(struct intern *intern, struct slice text)
{
    uint64_t hash = intern_hash(text);
    uint32_t id;

    if (text.len_bytes == 0)
        return 0;
    /* Two texts with one 64-bit hash: the second goes to the next free key. */
    for (; idmap_get(&intern->index, hash, &id); hash++)
        if (slice_equal(intern->texts[id], text))
            return id;
    if (!intern_make_room(intern) || text.len_bytes > UINT32_MAX) {
        intern->refused++;
        return 0;
    }
    struct slice copy = arena_copy(&intern->arena, text);

    if (!copy.ptr || idmap_put(&intern->index, hash, intern->count) < 0) {
        intern->refused++;
        return 0;
    }
    intern->texts[intern->count] = copy;
    return intern->count++;
}
