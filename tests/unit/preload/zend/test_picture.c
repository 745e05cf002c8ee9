/* The picture of the heap at its peak: who holds what, when the line is drawn, and what a full
 * table does to the sums. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "zend/picture.h"

enum { INTERVAL = 32 * 1024 };

static int make(void **state)
{
    *state = calloc(1, sizeof(struct picture));
    return *state ? 0 : -1;
}

static int drop(void **state)
{
    free(*state);
    return 0;
}

static uint32_t stack_of(struct picture *picture, uint64_t hash)
{
    bool is_new;

    return picture_stack_of(picture, hash, &is_new);
}

static bool add(struct picture *picture, uintptr_t address, uint64_t bytes, uint64_t hash)
{
    const struct picture_block block = {.address = address,
                                        .seen_bytes = bytes,
                                        .weight_bytes = bytes,
                                        .chance = 1,
                                        .stack = stack_of(picture, hash)};

    return picture_add(picture, &block);
}

static void discard(struct picture *picture, uintptr_t address)
{
    struct picture_block *block = picture_find(picture, address);

    assert_non_null(block);
    picture_remove(picture, block);
}

static uint64_t held_at_peak(struct picture *picture, uint64_t hash)
{
    return picture->stacks[stack_of(picture, hash)].peak_bytes;
}

static void test_what_is_held_at_the_peak_is_told_not_what_is_held_at_the_end(void **state)
{
    struct picture *picture = *state;

    add(picture, 0x1000, 100, 1);
    add(picture, 0x2000, 300, 2); /* the peak: 400 */
    discard(picture, 0x2000);
    add(picture, 0x3000, 50, 3);
    discard(picture, 0x1000);
    picture_finish(picture);
    assert_int_equal(picture->peak_bytes, 400);
    assert_int_equal(held_at_peak(picture, 1), 100);
    assert_int_equal(held_at_peak(picture, 2), 300);
    assert_int_equal(held_at_peak(picture, 3), 0);
}

static void test_a_later_and_higher_peak_replaces_the_first(void **state)
{
    struct picture *picture = *state;

    add(picture, 0x1000, 100, 1);
    discard(picture, 0x1000);
    add(picture, 0x2000, 60, 2);
    add(picture, 0x3000, 60, 3);
    picture_finish(picture);
    assert_int_equal(picture->peak_bytes, 120);
    assert_int_equal(held_at_peak(picture, 1), 0);
    assert_int_equal(held_at_peak(picture, 2), 60);
    assert_int_equal(held_at_peak(picture, 3), 60);
}

/* The lazy books against a copy that is made at every peak, over many random steps. */
static void test_the_lazy_books_equal_a_copy_made_at_every_peak(void **state)
{
    enum { STACKS = 7, BLOCKS = 200, STEPS = 20000 };
    struct picture *picture = *state;
    uint64_t live[STACKS] = {0}, copy[STACKS] = {0}, sum = 0, peak = 0, sizes[BLOCKS] = {0};
    unsigned seed = 5;

    for (int step = 0; step < STEPS; step++) {
        const size_t i = (size_t) rand_r(&seed) % BLOCKS;

        if (sizes[i] > 0) {
            discard(picture, 0x1000 + 8 * i);
            sum -= sizes[i];
            live[i % STACKS] -= sizes[i];
            sizes[i] = 0;
        } else {
            sizes[i] = 1 + (uint64_t) rand_r(&seed) % 1000;
            assert_true(add(picture, 0x1000 + 8 * i, sizes[i], 1 + i % STACKS));
            sum += sizes[i];
            live[i % STACKS] += sizes[i];
        }
        if (sum > peak) {
            peak = sum;
            for (size_t s = 0; s < STACKS; s++)
                copy[s] = live[s];
        }
    }
    picture_finish(picture);
    assert_int_equal(picture->peak_bytes, peak);
    assert_int_equal(picture->live_bytes, sum);
    for (size_t s = 0; s < STACKS; s++)
        assert_int_equal(held_at_peak(picture, 1 + s), copy[s]);
}

static void test_neighbours_stay_reachable_when_one_of_them_goes(void **state)
{
    struct picture *picture = *state;
    uint32_t found = 0;

    for (uintptr_t i = 1; i <= PICTURE_BLOCKS_MAX; i++)
        assert_true(add(picture, i * 56, 10, 1));
    for (uintptr_t i = 1; i <= PICTURE_BLOCKS_MAX; i += 2)
        discard(picture, i * 56);
    for (uintptr_t i = 1; i <= PICTURE_BLOCKS_MAX; i++)
        found += picture_find(picture, i * 56) != NULL;
    assert_int_equal(found, PICTURE_BLOCKS_MAX / 2);
    assert_int_equal(picture->block_count, PICTURE_BLOCKS_MAX / 2);
}

static void test_a_full_table_refuses_until_it_is_thinned(void **state)
{
    struct picture *picture = *state;

    for (uintptr_t i = 1; i <= PICTURE_BLOCKS_MAX; i++)
        assert_true(add(picture, i * 56, 10, 1));
    assert_false(add(picture, (PICTURE_BLOCKS_MAX + 1) * 56, 10, 1));
    picture_thin(picture, 4 * INTERVAL, 42);
    assert_true(picture->block_count < PICTURE_BLOCKS_MAX * 6 / 10);
    assert_true(add(picture, (PICTURE_BLOCKS_MAX + 1) * 56, 10, 1));
}

static void test_thinning_keeps_the_sums_and_all_large_blocks(void **state)
{
    struct picture *picture = *state;
    double before, after;

    for (uintptr_t i = 1; i <= 2000; i++)
        assert_true(add(picture, i * 56, INTERVAL, 1));
    assert_true(add(picture, 0x10000000, 64 * INTERVAL, 2));
    before = (double) picture->live_bytes;
    picture_thin(picture, 4 * INTERVAL, 42);
    after = (double) picture->live_bytes;
    /* 2,000 coins: the standard deviation of the sum is sqrt(2000) blocks. */
    assert_true(fabs(after - before) < 4 * sqrt(2000) * INTERVAL);
    assert_non_null(picture_find(picture, 0x10000000));
    assert_int_equal(picture_find(picture, 0x10000000)->weight_bytes, 64 * INTERVAL);
}

static void test_the_chance_is_one_minus_the_exponential(void **state)
{
    static const double quotients[] = {1e-6, 0.001, 0.03, 0.1, 0.5, 1, 2, 5, 20, 39, 41, 1000};

    (void) state;
    for (size_t i = 0; i < sizeof quotients / sizeof *quotients; i++) {
        const uint64_t interval = UINT64_C(1) << 40;
        const uint64_t bytes = (uint64_t) (quotients[i] * (double) interval);
        const double right = -expm1(-(double) bytes / (double) interval);

        assert_true(fabs(picture_chance(bytes, interval) / right - 1) < 1e-7);
    }
}

static void test_a_block_stands_for_its_size_over_its_chance(void **state)
{
    (void) state;
    assert_int_equal(picture_weight_bytes(100, 0.01), 10000);
    assert_int_equal(picture_weight_bytes(1 << 20, 1), 1 << 20);
    assert_int_equal(picture_weight_bytes(100, 0), 100);
}

static void test_more_stacks_than_fit_are_the_others(void **state)
{
    struct picture *picture = *state;

    for (uint64_t hash = 1; hash < PICTURE_STACKS_MAX; hash++)
        assert_true(stack_of(picture, hash * 7919) != PICTURE_OTHERS);
    assert_int_equal(stack_of(picture, 1), PICTURE_OTHERS);
    assert_int_equal(stack_of(picture, 0), PICTURE_OTHERS);
    assert_true(stack_of(picture, 7919) != PICTURE_OTHERS); /* the known ones stay */
}

static void test_a_block_whose_free_was_missed_is_counted_once(void **state)
{
    struct picture *picture = *state;

    add(picture, 0x1000, 100, 1);
    add(picture, 0x1000, 30, 2);
    assert_int_equal(picture->block_count, 1);
    assert_int_equal(picture->live_bytes, 30);
}

static bool is_zero(const void *memory, size_t len_bytes)
{
    const char *bytes = memory;

    return len_bytes == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len_bytes - 1) == 0);
}

static void test_a_cleared_picture_is_as_new_whatever_was_in_it(void **state)
{
    struct picture *picture = *state;

    for (int round = 0; round < 3; round++) {
        for (uintptr_t i = 1; i <= 2500; i++)
            assert_true(add(picture, i * 56, 10 + i, 1 + (i % 1500) * 0x10001));
        for (uintptr_t i = 1; i <= 2500; i += 3)
            discard(picture, i * 56);
        picture_text_written(picture, 1, 100);
        picture_finish(picture);
        picture_clear(picture);
        assert_true(is_zero(picture, offsetof(struct picture, blocks)));
        assert_true(is_zero(picture->places, sizeof picture->places));
        assert_true(is_zero(picture->stacks, sizeof picture->stacks));
    }
}

#define PICTURE_TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PICTURE_TEST(test_what_is_held_at_the_peak_is_told_not_what_is_held_at_the_end),
        PICTURE_TEST(test_a_later_and_higher_peak_replaces_the_first),
        PICTURE_TEST(test_the_lazy_books_equal_a_copy_made_at_every_peak),
        PICTURE_TEST(test_neighbours_stay_reachable_when_one_of_them_goes),
        PICTURE_TEST(test_a_full_table_refuses_until_it_is_thinned),
        PICTURE_TEST(test_thinning_keeps_the_sums_and_all_large_blocks),
        PICTURE_TEST(test_the_chance_is_one_minus_the_exponential),
        PICTURE_TEST(test_a_block_stands_for_its_size_over_its_chance),
        PICTURE_TEST(test_more_stacks_than_fit_are_the_others),
        PICTURE_TEST(test_a_block_whose_free_was_missed_is_counted_once),
        PICTURE_TEST(test_a_cleared_picture_is_as_new_whatever_was_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
