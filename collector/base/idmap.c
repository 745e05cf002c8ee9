/* idmap.c - linear probing; removal closes the gap, so there are no tombstones. */
#include "base/idmap.h"

#include <errno.h>
#include <stdlib.h>

enum { IDMAP_FIRST_CAPACITY = 64 };

void idmap_init(struct idmap *map, size_t limit)
{
    *map = (struct idmap){.limit = limit};
}

void idmap_release(struct idmap *map)
{
    free(map->slots);
    map->slots = NULL;
    map->capacity = map->count = 0;
}

/* The slot of `key`, or the empty one where it belongs. */
static size_t idmap_find(const struct idmap *map, uint64_t key)
{
    size_t at = (size_t) idmap_mix(key) & (map->capacity - 1);

    while (map->slots[at].used && map->slots[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

bool idmap_get(const struct idmap *map, uint64_t key, uint32_t *ret_value)
{
    if (map->count == 0)
        return false;
    size_t at = idmap_find(map, key);

    if (!map->slots[at].used)
        return false;
    *ret_value = map->slots[at].value;
    return true;
}

static int idmap_grow(struct idmap *map)
{
    struct idmap bigger = *map;

    bigger.capacity = map->capacity ? map->capacity * 2 : IDMAP_FIRST_CAPACITY;
    bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].used)
            bigger.slots[idmap_find(&bigger, map->slots[i].key)] = map->slots[i];
    free(map->slots);
    *map = bigger;
    return 0;
}

int idmap_put(struct idmap *map, uint64_t key, uint32_t value)
{
    uint32_t old;

    if (!idmap_get(map, key, &old)) {
        if (map->count >= map->limit)
            return -ENOSPC;
        if (map->count + 1 > map->capacity / 4 * 3) {
            int r = idmap_grow(map);

            if (r < 0)
                return r;
        }
        map->count++;
    }
    map->slots[idmap_find(map, key)] = (struct idmap_slot){key, value, true};
    return 0;
}

void idmap_remove(struct idmap *map, uint64_t key)
{
    if (map->count == 0)
        return;
    size_t gap = idmap_find(map, key), mask = map->capacity - 1;

    if (!map->slots[gap].used)
        return;
    map->slots[gap].used = false;
    map->count--;
    for (size_t at = (gap + 1) & mask; map->slots[at].used; at = (at + 1) & mask) {
        size_t home = (size_t) idmap_mix(map->slots[at].key) & mask;

        /* Its home is not between the gap and itself: it may move back into the gap. */
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            map->slots[gap] = map->slots[at];
            map->slots[at].used = false;
            gap = at;
        }
    }
}
