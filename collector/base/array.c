/* array.c - doubling, up to the ceiling. */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

enum { ARRAY_FIRST_CAPACITY = 16 };

void array_init(struct array *array, size_t item_bytes, size_t limit)
{
    *array = (struct array){.item_bytes = item_bytes, .limit = limit};
}

void array_release(struct array *array)
{
    free(array->items);
    array->items = NULL;
    array->count = array->capacity = 0;
}

static int array_grow(struct array *array)
{
    size_t capacity = array->capacity ? array->capacity * 2 : ARRAY_FIRST_CAPACITY;
    void *items;

    if (capacity > array->limit)
        capacity = array->limit;
    if (capacity <= array->count)
        return -1;
    items = reallocarray(array->items, capacity, array->item_bytes);
    if (!items)
        return -1;
    array->items = items;
    array->capacity = capacity;
    return 0;
}

void *array_add(struct array *array)
{
    if (array->count == array->capacity && array_grow(array) < 0) {
        array->refused++;
        return NULL;
    }
    return memset(array_at(array, array->count++), 0, array->item_bytes);
}

void array_sort(struct array *array, int (*compare)(const void *, const void *))
{
    if (array->count > 1)
        qsort(array->items, array->count, array->item_bytes, compare);
}

size_t array_first_from(const struct array *array, size_t field_offset, int64_t value)
{
    size_t low = 0, high = array->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t field;

        memcpy(&field, (const char *) array_at(array, middle) + field_offset, sizeof field);
        if (field < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
