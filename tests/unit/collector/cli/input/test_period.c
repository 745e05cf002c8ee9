/* test_period.c - every way to write a point in time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/input/period.h"

#define NOW_US (INT64_C(1795332329) * 1000000) /* 2026-11-22 07:25:29 */

static int64_t parsed(const char *text)
{
    int64_t us = -1;

    return period_parse_time(text, NOW_US, &us) == 0 ? us : -1;
}

static void test_a_time_of_day_is_today(void **state)
{
    (void) state;
    assert_int_equal(parsed("07:25:29"), NOW_US);
    assert_int_equal(parsed("07:25"), NOW_US - 29 * INT64_C(1000000));
}

static void test_a_date_may_have_a_time_and_a_zone_of_utc(void **state)
{
    (void) state;
    assert_int_equal(parsed("2026-11-22 07:25:29"), NOW_US);
    assert_int_equal(parsed("2026-11-22T07:25:29Z"), NOW_US);
    assert_int_equal(parsed("2026-11-22"), INT64_C(1795305600) * 1000000);
}

static void test_a_number_with_a_unit_is_so_long_ago(void **state)
{
    (void) state;
    assert_int_equal(parsed("90s"), NOW_US - 90 * INT64_C(1000000));
    assert_int_equal(parsed("2h"), NOW_US - 7200 * INT64_C(1000000));
    assert_int_equal(parsed("@1795332329"), NOW_US);
}

static void test_anything_else_is_refused(void **state)
{
    const char *const wrong[] = {"",      "yesterday",  "5", "-5m", "5y",
                                 "25:61", "2026-13-01", "@", "@x",  "2026-11-22 07:25:29 CET",
                                 "5mm"};

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(parsed(wrong[i]), -1);
}

static void test_a_range_is_written_as_git_writes_it(void **state)
{
    static const char *const wrong[] = {"",        "..",    "2h",           "1h..2h",
                                        "now..2h", "2h..x", "07:00...08:00"};
    const int64_t hour_us = INT64_C(3600) * 1000000;
    struct period period;

    (void) state;
    assert_int_equal(period_parse_range("2h..1h", NOW_US, &period), 0);
    assert_int_equal(period.from_us, NOW_US - 2 * hour_us);
    assert_int_equal(period.to_us, NOW_US - hour_us - 1);
    assert_int_equal(period_parse_range("..1h", NOW_US, &period), 0);
    assert_int_equal(period.from_us, 0);
    assert_int_equal(period_parse_range("2h..", NOW_US, &period), 0);
    assert_int_equal(period.to_us, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(period_parse_range(wrong[i], NOW_US, &period), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_time_of_day_is_today),
        cmocka_unit_test(test_a_date_may_have_a_time_and_a_zone_of_utc),
        cmocka_unit_test(test_a_number_with_a_unit_is_so_long_ago),
        cmocka_unit_test(test_anything_else_is_refused),
        cmocka_unit_test(test_a_range_is_written_as_git_writes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
