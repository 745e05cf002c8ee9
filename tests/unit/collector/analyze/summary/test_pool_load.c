/* test_pool_load.c - the pace of a pool is that of its traffic, not of its night. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/summary/pool_load.h"

static const int64_t second_us = 1000000;

static void test_a_single_request_has_no_pace(void **state)
{
    struct pool_load load = {.busy_us = {0}};

    (void) state;
    pool_load_feed(&load, 0, 7 * second_us);
    assert_true(pool_load_per_hour(&load, 0) == 0);
}

static void test_a_slow_pool_that_is_steady_is_not_pausing(void **state)
{
    struct pool_load load = {.busy_us = {0}};

    (void) state;
    for (int64_t i = 1; i <= 1000; i++)
        pool_load_feed(&load, 3, i * 300 * second_us);
    assert_in_range((uint64_t) (pool_load_per_hour(&load, 3) * 10), 119, 122); /* 12 an hour */
}

static void test_a_long_gap_counts_as_a_minute(void **state)
{
    struct pool_load load = {.busy_us = {0}};

    (void) state;
    for (int64_t i = 1; i <= 60; i++)
        pool_load_feed(&load, 0, i * second_us);
    pool_load_feed(&load, 0, 86400 * second_us);
    assert_int_equal(load.busy_us[0], 59 * second_us + 60 * second_us);
}

static void test_late_and_timeless_requests_are_no_gap(void **state)
{
    struct pool_load load = {.busy_us = {0}};

    (void) state;
    pool_load_feed(&load, 0, 100 * second_us);
    pool_load_feed(&load, 0, 0);
    pool_load_feed(&load, 0, 90 * second_us);
    assert_int_equal(load.intervals[0], 0);
    assert_int_equal(load.last_us[0], 100 * second_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_single_request_has_no_pace),
        cmocka_unit_test(test_a_slow_pool_that_is_steady_is_not_pausing),
        cmocka_unit_test(test_a_long_gap_counts_as_a_minute),
        cmocka_unit_test(test_late_and_timeless_requests_are_no_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
