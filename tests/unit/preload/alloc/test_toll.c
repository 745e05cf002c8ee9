/* test_toll.c - picks tell how many blocks go by; their hooks shrink the budgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc/sampler.h"
#include "alloc/toll.h"

enum {
    MIB = 1024 * 1024,
    SECOND_NS = 1000000000,
    BUDGETS_PPM = 10000,
    MANY_BLOCKS = 4000000,
};

static void test_before_anything_was_met_the_hooks_are_said_to_cost_nothing(void **state)
{
    const struct toll toll = {0};

    (void) state;
    assert_int_equal(toll_hooks_ppm(&toll, TOLL_PAIR_PS, UINT64_C(1) << 40, SECOND_NS), 0);
}

static void test_blocks_of_one_size_are_counted_exactly(void **state)
{
    struct toll toll = {0};

    (void) state;
    for (int i = 0; i < 3; i++)
        toll_met(&toll, 100, MIB);
    /* ten million blocks at 1.7 ns are 17 ms of a second */
    assert_in_range(toll_hooks_ppm(&toll, 1700, 1000000000, SECOND_NS), 16999, 17000);
}

static void test_a_block_larger_than_the_interval_is_one_block(void **state)
{
    struct toll toll = {0};

    (void) state;
    toll_met(&toll, 8 * MIB, MIB);
    assert_in_range(toll_hooks_ppm(&toll, 1700, UINT64_C(8000) * MIB, 1000 * 1000), 1699, 1700);
}

static size_t size_of_block(uint32_t number)
{
    static const size_t sizes[] = {24, 24, 40, 40, 40, 120, 120, 1000, 4000, 24};

    return number % 997 == 0 ? 2 * MIB : sizes[number * 2654435761u % 10];
}

static void test_of_many_sizes_the_picks_tell_how_many_blocks_there_are(void **state)
{
    const uint64_t interval = MIB / 8;
    struct toll toll = {0};
    struct sampler sampler;
    uint64_t bytes = 0, ppm, sum_ppm = 0, looks = 0;

    (void) state;
    sampler_init(&sampler, 1, interval);
    for (uint64_t i = 0, next = 0; i < MANY_BLOCKS; i++) {
        bytes += size_of_block((uint32_t) i);
        if (bytes < next)
            continue;
        toll_met(&toll, size_of_block((uint32_t) i), interval);
        next = bytes + sampler_next_gap_bytes(&sampler);
        sum_ppm += toll_hooks_ppm(&toll, TOLL_PAIR_PS, 1000000000, SECOND_NS);
        looks++;
    }
    ppm = (uint64_t) (MANY_BLOCKS * (1e9 / (double) bytes) * TOLL_PAIR_PS / 1000 / 1000);
    assert_in_range(sum_ppm / looks, ppm * 85 / 100, ppm * 115 / 100);
}

static void test_what_was_met_long_ago_is_forgotten(void **state)
{
    struct toll toll = {0};

    (void) state;
    for (int i = 0; i < 1000; i++)
        toll_met(&toll, 24, MIB);
    for (int i = 0; i < 20 * TOLL_MEMORY_PICKS; i++)
        toll_met(&toll, 10000, MIB);
    assert_in_range(toll_hooks_ppm(&toll, 1700, 1000000000, SECOND_NS), 169, 171);
}

static void test_cheap_hooks_leave_all_of_the_budgets(void **state)
{
    (void) state;
    assert_int_equal(toll_leaves_ppm(0, BUDGETS_PPM), PPM);
    assert_int_equal(toll_leaves_ppm(BUDGETS_PPM, BUDGETS_PPM), PPM);
}

static void test_hooks_and_budgets_together_keep_to_twice_the_budgets(void **state)
{
    (void) state;
    assert_int_equal(toll_leaves_ppm(15000, BUDGETS_PPM), PPM / 2);
    assert_int_equal(toll_leaves_ppm(18000, BUDGETS_PPM), PPM / 5);
}

static void test_sampling_never_ends(void **state)
{
    (void) state;
    assert_int_equal(toll_leaves_ppm(19900, BUDGETS_PPM), TOLL_LEAST_PPM);
    assert_int_equal(toll_leaves_ppm(500000, BUDGETS_PPM), TOLL_LEAST_PPM);
}

static void test_no_budget_is_nothing_to_share(void **state)
{
    (void) state;
    assert_int_equal(toll_leaves_ppm(15000, 0), PPM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_anything_was_met_the_hooks_are_said_to_cost_nothing),
        cmocka_unit_test(test_blocks_of_one_size_are_counted_exactly),
        cmocka_unit_test(test_a_block_larger_than_the_interval_is_one_block),
        cmocka_unit_test(test_of_many_sizes_the_picks_tell_how_many_blocks_there_are),
        cmocka_unit_test(test_what_was_met_long_ago_is_forgotten),
        cmocka_unit_test(test_cheap_hooks_leave_all_of_the_budgets),
        cmocka_unit_test(test_hooks_and_budgets_together_keep_to_twice_the_budgets),
        cmocka_unit_test(test_sampling_never_ends),
        cmocka_unit_test(test_no_budget_is_nothing_to_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
