/* test_summary_compare.c - what changed between two periods, and what must not be claimed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/summary/summary_compare.h"

static struct compare_row rows[8];

static size_t compare(const struct summary_route *before, const struct summary_route *after)
{
    const struct summary_result was = {.routes = before, .route_count = before ? 1 : 0};
    const struct summary_result is = {.routes = after, .route_count = after ? 1 : 0};

    return summary_compare(&was, &is, rows, sizeof rows / sizeof *rows);
}

static struct summary_route page(const char *verdict)
{
    return (struct summary_route){.route = SLICE("/a"), .verdict = slice_of(verdict), .hits = 100};
}

static void test_a_leak_after_the_mark_alone_is_new(void **state)
{
    const struct summary_route clean = page("clean"), leak = page("leak");

    (void) state;
    assert_int_equal(compare(&clean, &leak), 1);
    assert_int_equal(rows[0].change, COMPARE_new_leak);
    assert_int_equal(compare(NULL, &leak), 1);
    assert_int_equal(compare(&leak, &leak), 0);
}

static void test_a_leak_is_gone_only_when_enough_was_seen_since(void **state)
{
    const struct summary_route clean = page("clean"), leak = page("leak");
    const struct summary_route few = page("insufficient"), suspect = page("suspect");

    (void) state;
    assert_int_equal(compare(&leak, &clean), 1);
    assert_int_equal(rows[0].change, COMPARE_gone_leak);
    assert_int_equal(compare(&leak, &few), 0);
    assert_int_equal(compare(&leak, &suspect), 0);
    assert_int_equal(compare(&leak, NULL), 0);
    assert_int_equal(compare(&few, &leak), 0);
}

static void test_a_peak_changed_when_it_did_so_by_much(void **state)
{
    struct summary_route small = page("clean"), large = page("peak");

    (void) state;
    small.typical_peak_bytes = 20 << 20;
    large.typical_peak_bytes = 60 << 20;
    assert_int_equal(compare(&small, &large), 1);
    assert_int_equal(rows[0].change, COMPARE_more_peak);
    assert_int_equal(compare(&large, &small), 1);
    assert_int_equal(rows[0].change, COMPARE_less_peak);
    large.typical_peak_bytes = 25 << 20;
    assert_int_equal(compare(&small, &large), 0);
}

static void test_a_page_that_only_crashes_is_compared_too(void **state)
{
    const struct summary_crash deaths[] = {{.route = SLICE("/x")}, {.route = SLICE("/x")}};
    const struct summary_result quiet = {0}, dead = {.crashes = deaths, .crash_count = 2};

    (void) state;
    assert_int_equal(summary_compare(&quiet, &dead, rows, 8), 1);
    assert_int_equal(rows[0].change, COMPARE_new_crashes);
    assert_int_equal(rows[0].crashes_after, 2);
    assert_int_equal(summary_compare(&dead, &quiet, rows, 8), 0);
    assert_int_equal(summary_compare(&quiet, &dead, rows, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_leak_after_the_mark_alone_is_new),
        cmocka_unit_test(test_a_leak_is_gone_only_when_enough_was_seen_since),
        cmocka_unit_test(test_a_peak_changed_when_it_did_so_by_much),
        cmocka_unit_test(test_a_page_that_only_crashes_is_compared_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
