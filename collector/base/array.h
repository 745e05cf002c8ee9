/*
 * array.h - a growing array of equal objects with a ceiling given at birth.
 *
 * `items` moves when the array grows: keep indexes, not pointers.  Beyond the ceiling (or without
 * memory) nothing is added and `refused` counts what was not kept.  Not thread-safe.
 */
#ifndef FPMSCOPE_BASE_ARRAY_H
#define FPMSCOPE_BASE_ARRAY_H

#include <stddef.h>
#include <stdint.h>

struct array {
    void *items;
    size_t item_bytes, count, capacity, limit;
    uint64_t refused;
};

/* An empty array of objects of `item_bytes`, at most `limit` of them. */
void array_init(struct array *array, size_t item_bytes, size_t limit);
void array_release(struct array *array);

/* A new, cleared object at the end; NULL when it could not be added. */
void *array_add(struct array *array);

/* Object `i`; the caller knows that it exists. */
static inline void *array_at(const struct array *array, size_t i)
{
    return (char *) array->items + i * array->item_bytes;
}

/* By a comparison as for qsort(); an empty array may be sorted, too. */
void array_sort(struct array *array, int (*compare)(const void *, const void *));

/*
 * In an array sorted by the int64_t that lies `field_offset` bytes into each object: the first
 * object whose field is not below `value`, or `count`.
 */
size_t array_first_from(const struct array *array, size_t field_offset, int64_t value);

#endif
