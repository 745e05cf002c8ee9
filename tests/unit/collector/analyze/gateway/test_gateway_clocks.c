/* test_gateway_clocks.c - logs whose clock or zone is off, and what the engine keeps. */
#include "gateway_case.h"

#define IP "192.0.2.7"

/* Three crashes of different pages, seconds 2, 4 and 6; nginx's error log is an hour ahead. */
#define ACCESS                                                                                     \
    BACK("2", "502", "/a", "0.101", IP)                                                            \
    BACK("4", "502", "/b", "0.101", IP) BACK("6", "502", "/c", "0.101", IP)
#define ERROR_LINE(hour, s, uri)                                                                   \
    "2026/11/22 " hour ":38:2" s " [error] 7#7: *3 " RESET ", client: " IP                         \
    ", server: shop.example, request: \"GET " uri " HTTP/1.1\", upstream: \"" PHP_SOCKET           \
    "\", host: \"shop.example\"\n"
#define FPM_LINE(hour, s, pid)                                                                     \
    "[22-Nov-2026 " hour ":38:2" s "] WARNING: [pool www] child " pid                              \
    " exited on signal 11 (SIGSEGV) after 2.0 seconds from start\n"
#define EVENTS_ABC                                                                                 \
    EVENTS BEG("2", "100000", "41", "/a", IP) CRASH("2", "200000", "41", SEGV)                     \
        BEG("4", "100000", "42", "/b", IP) CRASH("4", "200000", "42", SEGV)                        \
            BEG("6", "100000", "43", "/c", IP) CRASH("6", "200000", "43", SEGV)

static void expect_three_crashes(const struct gateway_report *report)
{
    assert_int_equal(report->row_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(report->rows[i].verdict, VERDICT_worker_crash);
        assert_int_equal(report->rows[i].pid_count, 1);
        assert_int_equal(report->rows[i].pids[0], 41 + i);
    }
}

static void test_an_error_log_in_another_zone_is_corrected_and_said(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = ACCESS,
                                       .error = ERROR_LINE("06", "2", "/a")
                                           ERROR_LINE("06", "4", "/b") ERROR_LINE("06", "6", "/c"),
                                       .events = EVENTS_ABC},
                 &report);

    (void) state;
    expect_three_crashes(report);
    assert_int_equal(report->clock_count, 1);
    assert_int_equal(report->clocks[0].file, 1); /* the error log */
    assert_int_equal(report->clocks[0].shift_us, -3600000000);
    assert_true(report->clocks[0].corrected);
    assert_int_equal(report->rows[0].line_count, 2); /* the error line found its request */
    gateway_free(gateway);
}

static void test_an_access_log_in_another_zone_is_corrected(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access =
                "192.0.2.7 - - [22/Nov/2026:07:38:22 +0000] \"GET /a HTTP/1.1\" 502 1 \"-\" "
                "\"test\"\n192.0.2.7 - - [22/Nov/2026:07:38:24 +0000] \"GET /b HTTP/1.1\" 502 1 "
                "\"-\" \"test\"\n192.0.2.7 - - [22/Nov/2026:07:38:26 +0000] \"GET /c HTTP/1.1\" "
                "502 1 \"-\" \"test\"\n",
            .events = EVENTS_ABC},
        &report);

    (void) state;
    expect_three_crashes(report);
    assert_int_equal(report->clocks[0].shift_us, -7200000000);
    gateway_free(gateway);
}

static void test_php_fpms_log_is_compared_by_pid(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = ACCESS,
                                       .fpm = FPM_LINE("06", "2", "41") FPM_LINE("06", "4", "42")
                                           FPM_LINE("06", "6", "43"),
                                       .events = EVENTS_ABC},
                 &report);

    (void) state;
    expect_three_crashes(report);
    assert_int_equal(report->clock_count, 1);
    assert_int_equal(report->clocks[0].shift_us, -3600000000);
    assert_int_equal(report->death_count, 0); /* no second death an hour later */
    gateway_free(gateway);
}

static void test_clocks_that_agree_are_left_alone(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = ACCESS,
                                       .error = ERROR_LINE("05", "2", "/a")
                                           ERROR_LINE("05", "4", "/b") ERROR_LINE("05", "6", "/c"),
                                       .fpm = FPM_LINE("05", "2", "41") FPM_LINE("05", "4", "42")
                                           FPM_LINE("05", "6", "43"),
                                       .events = EVENTS_ABC},
                 &report);

    (void) state;
    expect_three_crashes(report);
    assert_int_equal(report->clock_count, 0);
    gateway_free(gateway);
}

static void test_one_failure_an_hour_apart_is_no_proof_of_a_skew(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("2", "502", "/a", "0.101", IP),
                                       .error = ERROR_LINE("06", "2", "/a")},
                 &report);

    (void) state;
    assert_int_equal(report->rows[0].verdict, VERDICT_unknown);
    assert_int_equal(report->clock_count, 1);
    assert_false(report->clocks[0].corrected); /* suspected, said, not believed */
    gateway_free(gateway);
}

static void test_failures_beyond_the_ceiling_are_counted_and_said(void **state)
{
    const struct gateway_options options = {.max_rows = 2};
    struct gateway *gateway = gateway_new(&options);

    (void) state;
    assert_non_null(gateway);
    for (int i = 0; i < 2; i++) {
        gateway_pass(gateway, i == 0 ? GATEWAY_SCAN : GATEWAY_GATHER);
        case_feed_log(gateway, 0, ACCESS);
    }
    const struct gateway_report *report = gateway_finish(gateway);

    assert_int_equal(report->row_count, 2);
    assert_int_equal(report->dropped, 1);
    assert_int_equal(report->note_count, 1);
    gateway_free(gateway);
}

static void test_a_pipe_that_is_read_once_after_the_files_finds_masked_crashes(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = gateway_new(NULL);

    (void) state;
    assert_non_null(gateway);
    gateway_pass(gateway, GATEWAY_SCAN);
    case_feed_events(gateway, EVENTS_ABC);
    gateway_pass(gateway, GATEWAY_BOTH);
    case_feed_log(gateway, 0,
                  BACK("2", "200", "/a", "0.101", IP) BACK("3", "200", "/z", "0.1", IP));
    gateway_pass(gateway, GATEWAY_GATHER);
    case_feed_events(gateway, EVENTS_ABC);
    report = gateway_finish(gateway);
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].client_status, 200);
    assert_int_equal(report->rows[0].pids[0], 41);
    gateway_free(gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_error_log_in_another_zone_is_corrected_and_said),
        cmocka_unit_test(test_an_access_log_in_another_zone_is_corrected),
        cmocka_unit_test(test_php_fpms_log_is_compared_by_pid),
        cmocka_unit_test(test_clocks_that_agree_are_left_alone),
        cmocka_unit_test(test_one_failure_an_hour_apart_is_no_proof_of_a_skew),
        cmocka_unit_test(test_failures_beyond_the_ceiling_are_counted_and_said),
        cmocka_unit_test(test_a_pipe_that_is_read_once_after_the_files_finds_masked_crashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
