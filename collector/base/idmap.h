/*
 * idmap.h - a hash table from 64-bit keys to 32-bit values, with a ceiling given at birth.
 *
 * Keys are hashes, pids or packed pairs; values are mostly indexes into an array.  Open addressing
 * with linear probing, at most three quarters full.  Not thread-safe.
 */
#ifndef FPMSCOPE_BASE_IDMAP_H
#define FPMSCOPE_BASE_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap_slot {
    uint64_t key;
    uint32_t value;
    bool used;
};

struct idmap {
    struct idmap_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count, limit;
};

/* An empty map that will hold at most `limit` keys. */
void idmap_init(struct idmap *map, size_t limit);
void idmap_release(struct idmap *map);

/* The value of `key`; false when there is none. */
bool idmap_get(const struct idmap *map, uint64_t key, uint32_t *ret_value);

/* Set or replace.  -ENOSPC at the ceiling, -ENOMEM without memory; the map is unchanged then. */
int idmap_put(struct idmap *map, uint64_t key, uint32_t value);

/* Forget `key`, if it is there. */
void idmap_remove(struct idmap *map, uint64_t key);

/* Spread the bits of an integer (the finalizer of MurmurHash3, public domain formula). */
static inline uint64_t idmap_mix(uint64_t x)
{
    x = (x ^ x >> 33) * 0xff51afd7ed558ccdULL;
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

#endif
