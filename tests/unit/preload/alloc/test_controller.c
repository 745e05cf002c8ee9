/* test_controller.c - the interval follows the budget and stays in its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc/controller.h"

enum { BUDGET_PPM = 5000, SECOND_NS = 1000000000, KIB = 1024 };

static void test_too_much_time_doubles_the_interval(void **state)
{
    (void) state;
    assert_int_equal(controller_adjust(512 * KIB, 5000001, SECOND_NS, BUDGET_PPM), 1024 * KIB);
}

static void test_little_time_halves_the_interval(void **state)
{
    (void) state;
    assert_int_equal(controller_adjust(512 * KIB, 1000000, SECOND_NS, BUDGET_PPM), 256 * KIB);
}

static void test_a_fair_share_changes_nothing(void **state)
{
    (void) state;
    assert_int_equal(controller_adjust(512 * KIB, 2500000, SECOND_NS, BUDGET_PPM), 512 * KIB);
    assert_int_equal(controller_adjust(512 * KIB, 5000000, SECOND_NS, BUDGET_PPM), 512 * KIB);
}

static void test_the_interval_keeps_its_limits(void **state)
{
    uint64_t interval = 512 * KIB;

    (void) state;
    for (int i = 0; i < 20; i++)
        interval = controller_adjust(interval, SECOND_NS, SECOND_NS, BUDGET_PPM);
    assert_int_equal(interval, CONTROLLER_MAX_INTERVAL_BYTES);
    for (int i = 0; i < 20; i++)
        interval = controller_adjust(interval, 0, SECOND_NS, BUDGET_PPM);
    assert_int_equal(interval, CONTROLLER_MIN_INTERVAL_BYTES);
}

static void test_a_constant_load_settles_inside_the_budget(void **state)
{
    const uint64_t sample_ns = 6000, bytes_per_second = 2000ull << 20;
    uint64_t interval = CONTROLLER_FIRST_INTERVAL_BYTES, spent = 0;

    (void) state;
    for (int i = 0; i < 30; i++) {
        spent = bytes_per_second / interval * sample_ns;
        interval = controller_adjust(interval, spent, SECOND_NS, BUDGET_PPM);
    }
    spent = bytes_per_second / interval * sample_ns;
    assert_true(spent <= SECOND_NS / 1000000 * BUDGET_PPM);
    assert_int_equal(controller_adjust(interval, spent, SECOND_NS, BUDGET_PPM), interval);
}

static void test_one_hungry_request_is_braked_before_it_ends(void **state)
{
    (void) state;
    assert_int_equal(controller_brake(512 * KIB, 1100000, SECOND_NS / 10, BUDGET_PPM), 1024 * KIB);
    assert_int_equal(controller_brake(512 * KIB, 900000, SECOND_NS / 10, BUDGET_PPM), 512 * KIB);
}

static void test_weeks_of_cpu_time_do_not_overflow(void **state)
{
    const uint64_t month_ns = 30ull * 86400 * SECOND_NS;

    (void) state;
    assert_int_equal(controller_adjust(512 * KIB, month_ns / 250, month_ns, BUDGET_PPM), 512 * KIB);
}

static void test_nothing_is_owed_while_the_interval_can_still_grow(void **state)
{
    (void) state;
    assert_int_equal(controller_owe(0, 4096 * KIB, 9000000, SECOND_NS, BUDGET_PPM), 0);
}

static void test_at_the_largest_interval_what_is_too_much_is_owed_and_paid(void **state)
{
    uint64_t debt_ns = controller_owe(0, 8192 * KIB, 12000000, SECOND_NS, BUDGET_PPM);

    (void) state;
    assert_int_equal(debt_ns, 7000000);
    debt_ns = controller_owe(debt_ns, 8192 * KIB, 0, SECOND_NS, BUDGET_PPM);
    assert_int_equal(debt_ns, 2000000);
    assert_int_equal(controller_owe(debt_ns, 8192 * KIB, 0, SECOND_NS, BUDGET_PPM), 0);
}

static void test_a_debt_has_an_end(void **state)
{
    (void) state;
    assert_int_equal(controller_owe(0, 8192 * KIB, SECOND_NS, SECOND_NS, BUDGET_PPM), 8 * 5000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_much_time_doubles_the_interval),
        cmocka_unit_test(test_little_time_halves_the_interval),
        cmocka_unit_test(test_a_fair_share_changes_nothing),
        cmocka_unit_test(test_the_interval_keeps_its_limits),
        cmocka_unit_test(test_a_constant_load_settles_inside_the_budget),
        cmocka_unit_test(test_one_hungry_request_is_braked_before_it_ends),
        cmocka_unit_test(test_weeks_of_cpu_time_do_not_overflow),
        cmocka_unit_test(test_nothing_is_owed_while_the_interval_can_still_grow),
        cmocka_unit_test(test_at_the_largest_interval_what_is_too_much_is_owed_and_paid),
        cmocka_unit_test(test_a_debt_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
