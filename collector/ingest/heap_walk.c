/* heap_walk.c - see heap_walk.h. */
#include "ingest/heap_walk.h"

#include <string.h>

enum {
    SIZE_AT = 8,
    NEXT_AT = 16, /* of a free chunk */
    ALIGNMENT = 16,
    CHUNK_MIN_BYTES = 32, /* glibc's MINSIZE */
    FAST_MAX_BYTES = 128, /* M_MXFAST as nobody changes it */
    PREVIOUS_IN_USE = 1,
    NEVER_HERE = 6,  /* mmapped, or of another arena: not in the main heap */
    TRIM_SKIPS = 48, /* sizeof(struct malloc_chunk) */
    WINDOW_BYTES = 1 << 16,
};

/* What was read last: neighbours are next. */
struct window {
    const struct heap_memory *memory;
    uint64_t heap_begin, heap_end;
    uint64_t begin;
    size_t len_bytes;
    uint8_t bytes[WINDOW_BYTES];
};

static bool window_word(struct window *window, uint64_t address, uint64_t *ret_word)
{
    const struct heap_memory *memory = window->memory;

    if (address < window->begin || address - window->begin + sizeof *ret_word > window->len_bytes) {
        ssize_t n = memory->read(memory->ctx, address, window->bytes, sizeof window->bytes);

        window->begin = address;
        window->len_bytes = n > 0 ? (size_t) n : 0;
        if (window->len_bytes < sizeof *ret_word)
            return false;
    }
    memcpy(ret_word, window->bytes + (address - window->begin), sizeof *ret_word);
    return true;
}

static uint64_t page_up(uint64_t address)
{
    return (address + HEAP_PAGE_BYTES - 1) & ~(uint64_t) (HEAP_PAGE_BYTES - 1);
}

/* `begin` to `end` is free; so much of it can go that begins at `spare_begin`. */
static void note_free(const struct heap_memory *memory, uint64_t begin, uint64_t end,
                      uint64_t spare_begin, struct heap_found *found)
{
    uint64_t page = page_up(spare_begin), whole_bytes = 0;

    for (; page + HEAP_PAGE_BYTES <= end; page += HEAP_PAGE_BYTES) {
        whole_bytes += HEAP_PAGE_BYTES;
        if (memory->is_resident(memory->ctx, page))
            found->trim_bytes += HEAP_PAGE_BYTES;
    }
    found->free_bytes += end - begin;
    found->holes_bytes += end - begin - whole_bytes;
}

static bool is_chunk(uint64_t word, uint64_t room_bytes)
{
    const uint64_t size_bytes = word & ~(uint64_t) 7;

    return size_bytes >= CHUNK_MIN_BYTES && size_bytes % ALIGNMENT == 0 &&
           (word & NEVER_HERE) == 0 && size_bytes <= room_bytes;
}

/* A chunk that its neighbour calls used: does it wait in a fastbin? */
static bool is_fast(struct window *window, uint64_t chunk, uint64_t size_bytes)
{
    uint64_t word, next;

    if (size_bytes > FAST_MAX_BYTES || !window_word(window, chunk + NEXT_AT, &word))
        return false;
    next = word ^ (chunk + NEXT_AT) >> 12;
    return next == 0 ||
           (next >= window->heap_begin && next < window->heap_end && next % ALIGNMENT == 0);
}

/* The free chunks from `*free_begin` end before `chunk`. */
static void end_free(const struct heap_memory *memory, uint64_t *free_begin, uint64_t chunk,
                     struct heap_found *found)
{
    if (*free_begin)
        note_free(memory, *free_begin, chunk, *free_begin + TRIM_SKIPS, found);
    *free_begin = 0;
}

struct heap_found heap_walk(const struct heap_memory *memory, uint64_t begin, uint64_t end)
{
    struct window window = {.memory = memory, .heap_begin = begin, .heap_end = end};
    struct heap_found found = {0};
    uint64_t word, next_word, next, chunk = begin, free_begin = 0;

    if (end <= begin || !window_word(&window, chunk + SIZE_AT, &word))
        return found;
    for (; is_chunk(word, end - chunk); chunk = next, word = next_word) {
        const uint64_t size_bytes = word & ~(uint64_t) 7;

        next = chunk + size_bytes;
        found.chunks++;
        if (next == end) { /* top: glibc keeps a little more than the smallest chunk of it */
            free_begin = free_begin ? free_begin : chunk;
            note_free(memory, free_begin, end, free_begin + CHUNK_MIN_BYTES + 1, &found);
            found.is_whole = true;
            return found;
        }
        if (end - next < CHUNK_MIN_BYTES || !window_word(&window, next + SIZE_AT, &next_word) ||
            !is_chunk(next_word, end - next))
            break;
        if (next_word & PREVIOUS_IN_USE && !is_fast(&window, chunk, size_bytes))
            end_free(memory, &free_begin, chunk, &found);
        else if (!free_begin)
            free_begin = chunk;
    }
    end_free(memory, &free_begin, chunk, &found);
    return found;
}
