/* exact_paths.c - see exact_paths.h. */
#include "alloc/exact_paths.h"

#include <stdbool.h>

#include "banned.h"

static uint64_t key_of(const struct exact_here *here)
{
    uint64_t key = here->context ^ (uintptr_t) here->caller * UINT64_C(0x9e3779b97f4a7c15);

    key = (key ^ key >> 32 ^ (uintptr_t) here->frame) * UINT64_C(0xbf58476d1ce4e5b9);
    return key ^ key >> 29;
}

static uint32_t first_place(uint64_t key)
{
    return (uint32_t) key % EXACT_PATHS;
}

static bool is_same_way(const struct exact_path *path, const uintptr_t *frame)
{
    for (uint32_t i = 0; i < path->count; i++)
        if ((uint32_t) frame[path->words[i]] != path->pcs[i])
            return false;
    return true;
}

uint32_t exact_paths_find(const struct exact_paths *paths, const struct exact_here *here)
{
    const uint64_t key = key_of(here);
    const uint32_t first = first_place(key);

    for (uint32_t i = 0; i < EXACT_PATH_TRIES; i++) {
        const struct exact_path *path = &paths->items[(first + i) % EXACT_PATHS];

        if (path->seq != here->seq)
            return 0;
        if (path->key == key && is_same_way(path, here->frame))
            return path->group;
    }
    return 0;
}

/* Its place: the first that this request does not use, or the last it may have. */
static struct exact_path *make_room(struct exact_paths *paths, uint64_t key, uint64_t seq)
{
    const uint32_t first = first_place(key);
    struct exact_path *path = &paths->items[first];

    for (uint32_t i = 0; i < EXACT_PATH_TRIES && path->seq == seq; i++)
        path = &paths->items[(first + i) % EXACT_PATHS];
    return path;
}

/* Where the return addresses lie, as far as they are found. */
static void find_words(struct exact_path *path, const struct exact_here *here, const uintptr_t *pcs,
                       size_t count)
{
    uint32_t word = 0;

    path->count = 0;
    for (size_t i = 0; i < count && i < LIMIT_NATIVE_FRAMES; i++) {
        while (word < here->words && here->frame[word] != pcs[i])
            word++;
        if (word == here->words)
            return;
        path->words[path->count] = word++;
        path->pcs[path->count++] = (uint32_t) pcs[i];
    }
}

void exact_paths_keep(struct exact_paths *paths, const struct exact_here *here,
                      const uintptr_t *pcs, size_t count, uint32_t group)
{
    const uint64_t key = key_of(here);
    struct exact_path *path = make_room(paths, key, here->seq);

    find_words(path, here, pcs, count);
    path->key = key;
    path->group = group;
    path->seq = path->count > 0 || count == 0 ? here->seq : 0;
}
