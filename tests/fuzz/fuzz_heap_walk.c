/* fuzz_heap_walk.c - any bytes as a heap, with pages missing: what is found lies inside, and parts
 * of what is free do not exceed it.  The same bytes as /proc/PID/maps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/heap_process.h"

enum { MASK_BYTES = 8, PAGES_MAX = 64 };

static const uint64_t base = 0x555500000000;

/* The first 8 bytes say which pages are there. */
struct heap {
    const uint8_t *mask;
    uint8_t *bytes;
    size_t len_bytes;
};

static bool is_resident(void *ctx, uint64_t address)
{
    const struct heap *heap = ctx;
    const uint64_t page = (address - base) / HEAP_PAGE_BYTES;

    if (address < base || address - base >= heap->len_bytes)
        __builtin_trap();
    return (heap->mask[page / 8 % MASK_BYTES] >> page % 8 & 1) != 0;
}

static ssize_t read_heap(void *ctx, uint64_t address, void *buffer, size_t len_bytes)
{
    const struct heap *heap = ctx;

    if (!is_resident(ctx, address))
        return 0;
    if (len_bytes > heap->len_bytes - (address - base))
        len_bytes = heap->len_bytes - (address - base);
    memcpy(buffer, heap->bytes + (address - base), len_bytes);
    return (ssize_t) len_bytes;
}

static void walk(const uint8_t *data, size_t size)
{
    struct heap heap = {.mask = data};
    const struct heap_memory memory = {&heap, read_heap, is_resident};
    struct heap_found found;

    heap.len_bytes = (size - MASK_BYTES + HEAP_PAGE_BYTES) / HEAP_PAGE_BYTES * HEAP_PAGE_BYTES;
    heap.bytes = calloc(1, heap.len_bytes);
    if (!heap.bytes)
        return;
    memcpy(heap.bytes, data + MASK_BYTES, size - MASK_BYTES);
    found = heap_walk(&memory, base, base + heap.len_bytes);
    if (found.free_bytes > heap.len_bytes ||
        found.trim_bytes + found.holes_bytes > found.free_bytes)
        __builtin_trap();
    free(heap.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t begin, end;
    char *maps;

    if (size < MASK_BYTES || size > PAGES_MAX * HEAP_PAGE_BYTES)
        return 0;
    walk(data, size);
    maps = strndup((const char *) data, size);
    if (maps && heap_process_find(maps, &begin, &end) && begin >= end)
        __builtin_trap();
    free(maps);
    return 0;
}
