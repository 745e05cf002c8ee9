/* heap_walk.c - see heap_walk.h. */
#include "ingest/heap_walk.h"

#include <string.h>

enum {
    SIZE_AT = 8,
    ALIGNMENT = 16,
    CHUNK_MIN_BYTES = 32, /* glibc's MINSIZE */
    PREVIOUS_IN_USE = 1,
    NEVER_HERE = 6,  /* mmapped, or of another arena: not in the main heap */
    TRIM_SKIPS = 48, /* sizeof(struct malloc_chunk) */
    WINDOW_BYTES = 1 << 16,
};

/* What was read last: neighbours are next. */
struct window {
    const struct heap_memory *memory;
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

struct heap_found heap_walk(const struct heap_memory *memory, uint64_t begin, uint64_t end)
{
    struct window window = {.memory = memory};
    struct heap_found found = {0};
    uint64_t word, next_word, chunk = begin;

    if (end <= begin || !window_word(&window, chunk + SIZE_AT, &word))
        return found;
    while (is_chunk(word, end - chunk)) {
        const uint64_t next = chunk + (word & ~(uint64_t) 7);

        found.chunks++;
        if (next == end) { /* top: glibc keeps a little more than the smallest chunk of it */
            note_free(memory, chunk, end, chunk + CHUNK_MIN_BYTES + 1, &found);
            found.is_whole = true;
            break;
        }
        if (end - next < CHUNK_MIN_BYTES || !window_word(&window, next + SIZE_AT, &next_word))
            break;
        if (!(next_word & PREVIOUS_IN_USE))
            note_free(memory, chunk, next, chunk + TRIM_SKIPS, &found);
        chunk = next;
        word = next_word;
    }
    return found;
}
