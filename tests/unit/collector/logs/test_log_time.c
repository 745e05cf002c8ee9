/* test_log_time.c - dates of logs, their zones, and years that are not there. */
#include <time.h>

#include "log_fixture.h"

typedef bool (*time_fn)(struct scan *scan, const struct log_context *context,
                        struct log_time *ret_time);

static bool take(struct log_fixture *fixture, time_fn take_time, const char *text,
                 struct log_time *ret_time)
{
    struct scan scan = scan_of(slice_of(text));

    return take_time(&scan, &fixture->context, ret_time);
}

static void assert_time(struct log_fixture *fixture, time_fn take_time, const char *text,
                        int64_t us, int64_t precision_us, bool zone_known)
{
    struct log_time time;

    assert_true(take(fixture, take_time, text, &time));
    assert_int_equal(time.us, us);
    assert_int_equal(time.precision_us, precision_us);
    assert_int_equal(time.zone_known, zone_known);
}

static void test_every_format_of_one_instant_gives_the_same_microsecond(void **state)
{
    static const int64_t us = 1795325924000000;

    assert_time(*state, log_time_iso, "2026-11-22T05:38:44+00:00", us, 1000000, true);
    assert_time(*state, log_time_iso, "2026-11-22T06:38:44+0100", us, 1000000, true);
    assert_time(*state, log_time_iso, "2026-11-22T05:38:44Z", us, 1000000, true);
    assert_time(*state, log_time_iso, "2026-11-22 05:38:44", us, 1000000, false);
    assert_time(*state, log_time_clf, "22/Nov/2026:00:08:44 -0530", us, 1000000, true);
    assert_time(*state, log_time_nginx, "2026/11/22 05:38:44 [error]", us, 1000000, false);
    assert_time(*state, log_time_php, "22-Nov-2026 05:38:44]", us, 1000000, false);
    assert_time(*state, log_time_php, "22-Nov-2026 05:38:44 UTC]", us, 1000000, true);
    assert_time(*state, log_time_php, "22-Nov-2026 05:38:44 Europe/Amsterdam]", us, 1000000, false);
    assert_time(*state, log_time_syslog, "Nov 22 05:38:44 shop", us, 1000000, false);
    assert_time(*state, log_time_ctime, "Sun Nov 22 05:38:44 2026]", us, 1000000, false);
    assert_time(*state, log_time_http, "Sun, 22 Nov 2026 05:38:44 GMT", us, 1000000, true);
    assert_time(*state, log_time_epoch, "1795325924", us, 1000000, true);
}

static void test_a_fraction_is_kept_with_its_precision(void **state)
{
    assert_time(*state, log_time_iso, "2026-11-22T05:38:44.123+00:00", 1795325924123000, 1000,
                true);
    assert_time(*state, log_time_iso, "2026-11-22T05:38:44,067615+00:00", 1795325924067615, 1,
                true);
    assert_time(*state, log_time_iso, "2026-11-22T05:38:44.123456789Z", 1795325924123456, 1, true);
    assert_time(*state, log_time_php, "22-Nov-2026 05:38:44.283753]", 1795325924283753, 1, false);
    assert_time(*state, log_time_epoch, "1795325924.752", 1795325924752000, 1000, true);
    assert_time(*state, log_time_epoch, "1795325924752", 1795325924752000, 1000, true);
    assert_time(*state, log_time_epoch, "1795325924752163", 1795325924752163, 1, true);
}

static void test_a_date_that_the_calendar_does_not_have_is_refused(void **state)
{
    struct log_time time;

    assert_false(take(*state, log_time_iso, "2026-02-29T05:38:44Z", &time));
    assert_true(take(*state, log_time_iso, "2028-02-29T05:38:44Z", &time));
    assert_false(take(*state, log_time_iso, "2026-13-01T05:38:44Z", &time));
    assert_false(take(*state, log_time_iso, "2026-11-22T24:00:00Z", &time));
    assert_false(take(*state, log_time_clf, "00/Nov/2026:05:38:43 +0000", &time));
    assert_false(take(*state, log_time_clf, "22/Nox/2026:05:38:43 +0000", &time));
    assert_false(take(*state, log_time_clf, "22/Nov/2026:05:38:43 +9900", &time));
    assert_false(take(*state, log_time_nginx, "2026/11/22 05:38", &time));
    assert_false(take(*state, log_time_syslog, "Nov 31 05:38:44", &time));
    assert_false(take(*state, log_time_epoch, "123", &time));
    assert_false(take(*state, log_time_epoch, "99999999999999999999", &time));
}

static void test_a_date_before_its_zone_is_cut_is_refused_at_every_length(void **state)
{
    static const char text[] = "22/Nov/2026:05:38:43 +0000";
    struct log_fixture *fixture = *state;
    struct log_time time;

    for (size_t n = 0; n < sizeof text - 1; n++) {
        char *copy = malloc(n + 1);
        struct scan scan = {.at = copy, .end = copy + n};

        memcpy(copy, text, n);
        assert_false(log_time_clf(&scan, &fixture->context, &time));
        assert_ptr_equal(scan.at, copy);
        free(copy);
    }
}

static void test_a_year_that_is_not_there_is_the_last_one_that_fits(void **state)
{
    struct log_fixture *fixture = *state;
    struct log_time time;

    /* 1 January 2027, 00:10 UTC */
    fixture->context.reference_us = log_time_from_civil(2027, 1, 1, 0, 10, 0) * 1000000;
    assert_true(take(fixture, log_time_syslog, "Dec 31 23:59:50", &time));
    assert_int_equal(time.us, log_time_from_civil(2026, 12, 31, 23, 59, 50) * 1000000);
    assert_true(take(fixture, log_time_syslog, "Jan  1 00:00:10", &time));
    assert_int_equal(time.us, log_time_from_civil(2027, 1, 1, 0, 0, 10) * 1000000);
    assert_true(take(fixture, log_time_syslog, "Jan  3 00:00:10", &time));
    assert_int_equal(time.us, log_time_from_civil(2026, 1, 3, 0, 0, 10) * 1000000);
}

static void test_a_log_of_the_new_year_read_by_a_clock_that_is_behind_keeps_its_year(void **state)
{
    struct log_fixture *fixture = *state;
    struct log_time time;

    /* the reader's clock, in another zone, still shows 31 December */
    fixture->context.reference_us = log_time_from_civil(2026, 12, 31, 23, 30, 0) * 1000000;
    assert_true(take(fixture, log_time_syslog, "Jan  1 00:20:00", &time));
    assert_int_equal(time.us, log_time_from_civil(2027, 1, 1, 0, 20, 0) * 1000000);
}

static void test_29_february_goes_back_to_a_leap_year(void **state)
{
    struct log_fixture *fixture = *state;
    struct log_time time;

    assert_true(take(fixture, log_time_syslog, "Feb 29 12:00:00", &time));
    assert_int_equal(time.us, log_time_from_civil(2024, 2, 29, 12, 0, 0) * 1000000);
}

static void test_a_time_without_zone_takes_the_one_that_was_given(void **state)
{
    struct log_fixture *fixture = *state;
    struct log_time time;

    fixture->context.zone.offset_s = 3600;
    assert_true(take(fixture, log_time_nginx, "2026/11/22 06:38:44", &time));
    assert_int_equal(time.us, 1795325924000000);
    assert_int_equal(time.zone_offset_s, 3600);
    assert_false(time.zone_known);
}

static void test_a_time_without_zone_follows_the_machines_summer_time(void **state)
{
    struct log_fixture *fixture = *state;
    struct log_time winter, summer;

    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    fixture->context.zone.local = true;
    assert_true(take(fixture, log_time_nginx, "2026/11/22 06:38:44", &winter));
    assert_true(take(fixture, log_time_nginx, "2026/07/22 06:38:44", &summer));
    unsetenv("TZ");
    tzset();
    assert_int_equal(winter.zone_offset_s, 3600);
    assert_int_equal(summer.zone_offset_s, 7200);
    assert_int_equal(winter.us, 1795325924000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_every_format_of_one_instant_gives_the_same_microsecond),
        log_test(test_a_fraction_is_kept_with_its_precision),
        log_test(test_a_date_that_the_calendar_does_not_have_is_refused),
        log_test(test_a_date_before_its_zone_is_cut_is_refused_at_every_length),
        log_test(test_a_year_that_is_not_there_is_the_last_one_that_fits),
        log_test(test_a_log_of_the_new_year_read_by_a_clock_that_is_behind_keeps_its_year),
        log_test(test_29_february_goes_back_to_a_leap_year),
        log_test(test_a_time_without_zone_takes_the_one_that_was_given),
        log_test(test_a_time_without_zone_follows_the_machines_summer_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
