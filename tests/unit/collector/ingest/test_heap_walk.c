/* test_heap_walk.c - made-up heaps, walked from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/heap_process.h"

enum { PAGE = HEAP_PAGE_BYTES, PAGES = 64, IN_USE = 1 };

static const uint64_t base = 0x555500000000;

/* A heap under construction; `absent` pages are not resident. */
struct heap {
    uint8_t bytes[PAGES * PAGE];
    bool absent[PAGES];
    size_t at; /* where the next chunk goes */
    bool previous_used;
};

static ssize_t read_heap(void *ctx, uint64_t address, void *buffer, size_t len_bytes)
{
    const struct heap *heap = ctx;
    size_t offset = (size_t) (address - base), end = offset;

    while (end < sizeof heap->bytes && end - offset < len_bytes && !heap->absent[end / PAGE])
        end = (end / PAGE + 1) * PAGE;
    if (end - offset < len_bytes)
        len_bytes = end - offset;
    memcpy(buffer, heap->bytes + offset, len_bytes);
    return (ssize_t) len_bytes;
}

static bool is_resident(void *ctx, uint64_t address)
{
    const struct heap *heap = ctx;

    return !heap->absent[(address - base) / PAGE];
}

static void put(struct heap *heap, size_t size_bytes, bool used)
{
    const uint64_t word = size_bytes | (heap->previous_used ? IN_USE : 0);

    memcpy(heap->bytes + heap->at + 8, &word, sizeof word);
    heap->at += size_bytes;
    heap->previous_used = used;
}

static struct heap *new_heap(void)
{
    struct heap *heap = calloc(1, sizeof *heap);

    assert_non_null(heap);
    heap->previous_used = true;
    return heap;
}

static struct heap_found walk(struct heap *heap)
{
    const struct heap_memory memory = {heap, read_heap, is_resident};

    return heap_walk(&memory, base, base + sizeof heap->bytes);
}

static void end_with_top(struct heap *heap)
{
    put(heap, sizeof heap->bytes - heap->at, false);
}

/* Free from 4096 to 20480: what trim takes begins on the page after 48 bytes of it. */
static void test_whole_pages_inside_a_free_chunk_can_go(void **state)
{
    struct heap *heap = new_heap();
    struct heap_found found;

    (void) state;
    put(heap, PAGE, true);
    put(heap, 4 * PAGE, false);
    put(heap, 59 * PAGE - 64, true);
    end_with_top(heap); /* 64 bytes: nothing to give */
    found = walk(heap);
    assert_true(found.is_whole);
    assert_int_equal(found.chunks, 4);
    assert_int_equal(found.free_bytes, 4 * PAGE + 64);
    assert_int_equal(found.trim_bytes, 3 * PAGE);
    assert_int_equal(found.holes_bytes, PAGE + 64);
    free(heap);
}

static void test_pages_that_went_before_are_not_given_back_again(void **state)
{
    struct heap *heap = new_heap();

    (void) state;
    put(heap, PAGE, true);
    put(heap, 8 * PAGE, false);
    put(heap, 55 * PAGE - 64, true);
    end_with_top(heap);
    heap->absent[4] = heap->absent[5] = true;
    assert_int_equal(walk(heap).trim_bytes, 5 * PAGE);
    free(heap);
}

static void test_the_top_is_free_but_for_its_head(void **state)
{
    struct heap *heap = new_heap();
    struct heap_found found;

    (void) state;
    put(heap, 10 * PAGE, true);
    end_with_top(heap);
    found = walk(heap);
    assert_int_equal(found.trim_bytes, 53 * PAGE);
    assert_int_equal(found.free_bytes, 54 * PAGE);
    free(heap);
}

static void test_small_gaps_are_holes(void **state)
{
    struct heap *heap = new_heap();
    struct heap_found found;

    (void) state;
    for (int i = 0; i < 60; i++) {
        put(heap, PAGE - 256, false);
        put(heap, 256, true);
    }
    put(heap, 4 * PAGE - 64, true);
    end_with_top(heap);
    found = walk(heap);
    assert_int_equal(found.trim_bytes, 0);
    assert_int_equal(found.holes_bytes, 60 * (PAGE - 256) + 64);
    free(heap);
}

/* A chunk that says it is used, with the next of its list in its first word. */
static void put_fast(struct heap *heap, size_t size_bytes, uint64_t next)
{
    const uint64_t at = base + heap->at + 16, word = next ^ at >> 12;

    memcpy(heap->bytes + heap->at + 16, &word, sizeof word);
    put(heap, size_bytes, true);
}

/* A tree of small nodes that was freed into fastbins, before one that lives. */
static void test_what_waits_in_a_fastbin_is_free_and_merges(void **state)
{
    struct heap *heap = new_heap();
    struct heap_found found;

    (void) state;
    put(heap, PAGE, true);
    for (int i = 0; i < 4 * PAGE / 64; i++)
        put_fast(heap, 64, i % 7 ? base + (uint64_t) i * 16 : 0);
    put(heap, 59 * PAGE - 64, true);
    end_with_top(heap);
    found = walk(heap);
    assert_true(found.is_whole);
    assert_int_equal(found.trim_bytes, 3 * PAGE);
    assert_int_equal(found.free_bytes, 4 * PAGE + 64);
    free(heap);
}

static void test_words_of_the_program_are_no_lists(void **state)
{
    static const uint64_t words[] = {0, 1, UINT64_MAX, 0x555500000010, 0x7f0000001000};
    struct heap *heap = new_heap();

    (void) state;
    for (int i = 0; i < 32 * PAGE / 64; i++) {
        memcpy(heap->bytes + heap->at + 16, &words[i % 5], sizeof words[0]);
        put(heap, 64, true);
    }
    end_with_top(heap);
    assert_int_equal(walk(heap).free_bytes, 32 * PAGE);
    free(heap);
}

/* Each of these ends the walk where it is, with what was found before. */
static void test_sizes_without_sense_end_the_walk(void **state)
{
    static const uint64_t words[] = {
        0,
        16 | IN_USE,
        40 | IN_USE,
        64 | 2 | IN_USE,
        64 | 4 | IN_USE,
        UINT64_MAX,
        (uint64_t) PAGES * PAGE | IN_USE,
    };

    (void) state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct heap *heap = new_heap();
        struct heap_found found;

        put(heap, PAGE, true);
        put(heap, 3 * PAGE, false);
        put(heap, PAGE, true);
        memcpy(heap->bytes + heap->at + 8, &words[i], sizeof words[i]);
        found = walk(heap);
        assert_false(found.is_whole);
        assert_int_equal(found.trim_bytes, 2 * PAGE);
        free(heap);
    }
}

static void test_a_chunk_on_a_page_that_is_gone_ends_the_walk(void **state)
{
    struct heap *heap = new_heap();

    (void) state;
    put(heap, 2 * PAGE, true);
    end_with_top(heap);
    heap->absent[2] = true;
    assert_false(walk(heap).is_whole);
    heap->absent[0] = true;
    assert_int_equal(walk(heap).chunks, 0);
    free(heap);
}

static void test_rows_of_the_heap_that_touch_are_one(void **state)
{
    uint64_t begin = 0, end = 0;

    (void) state;
    assert_true(heap_process_find("55d0a000-55d0b000 r--p 00000000 08:01 12 /usr/sbin/php-fpm8.2\n"
                                  "56000000-56021000 rw-p 00000000 00:00 0 [heap]\n"
                                  "56021000-56042000 rw-p 00000000 00:00 0          [heap]\n"
                                  "7f000000-7f001000 rw-p 00000000 00:00 0 \n",
                                  &begin, &end));
    assert_int_equal(begin, 0x56000000);
    assert_int_equal(end, 0x56042000);
    assert_false(heap_process_find("7f000000-7f001000 rw-p 00000000 00:00 0 /tmp/[heap]x\n[heap]\n",
                                   &begin, &end));
}

static void test_the_own_process_can_be_measured(void **state)
{
    enum { BLOCKS = 2000, BLOCK_BYTES = 5000 };
    void **blocks = calloc(BLOCKS, sizeof *blocks);
    struct heap_found before = {0}, after = {0};

    (void) state;
    if (heap_process_measure(getpid(), &before) < 0) {
        free(blocks);
        skip(); /* a sanitizer's allocator, or /proc/self/mem is shut */
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK_BYTES);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        if (i % 10 != 9)
            free(blocks[i]);
    assert_int_equal(heap_process_measure(getpid(), &after), 0);
    for (size_t i = 9; i < BLOCKS; i += 10)
        free(blocks[i]);
    free(blocks);
    if (!after.is_whole)
        skip();
    /* Of each gap of 45,000 bytes ten or eleven pages. */
    assert_in_range(after.trim_bytes - before.trim_bytes, BLOCKS * BLOCK_BYTES / 10 * 7,
                    BLOCKS * BLOCK_BYTES / 10 * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_pages_inside_a_free_chunk_can_go),
        cmocka_unit_test(test_pages_that_went_before_are_not_given_back_again),
        cmocka_unit_test(test_the_top_is_free_but_for_its_head),
        cmocka_unit_test(test_small_gaps_are_holes),
        cmocka_unit_test(test_what_waits_in_a_fastbin_is_free_and_merges),
        cmocka_unit_test(test_words_of_the_program_are_no_lists),
        cmocka_unit_test(test_sizes_without_sense_end_the_walk),
        cmocka_unit_test(test_a_chunk_on_a_page_that_is_gone_ends_the_walk),
        cmocka_unit_test(test_rows_of_the_heap_that_touch_are_one),
        cmocka_unit_test(test_the_own_process_can_be_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
