/* test_gateway_joins.c - a dead worker is tied to its request by what both say, without guessing.
 */
#include "gateway_case.h"

static const struct gateway_row *row_with_client(const struct gateway_report *report,
                                                 const char *ip)
{
    for (size_t i = 0; i < report->row_count; i++)
        if (slice_equal(report->rows[i].remote_addr, slice_of(ip)))
            return &report->rows[i];
    return NULL;
}

static void test_a_crash_after_the_response_belongs_to_its_200(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = BACK("4", "200", CART, "0.102", "192.0.2.7"),
            .events = EVENTS BEG("4", "100000", "41", CART, "192.0.2.7") RSP("4", "200000", "41",
                                                                             "200")
                CRASH("4", "600000", "41",
                      "\"sig\":11,\"code\":1,\"addr\":\"(nil)\",\"ip\":\"0x7f01\",\"sent\":true")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].client_status, 200);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_crash);
    gateway_free(gateway);
}

static void test_a_stop_for_the_slow_log_is_no_death(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = BACK("4", "200", CART, "0.102", "192.0.2.7"),
            .events = EVENTS BEG("4", "100000", "41", CART, "192.0.2.7") "{\"e\":\"stop\"," TS(
                "4", "150000") ",\"pid\":41,\"master\":900,\"status\":4991}\n" KILL("4", "150100",
                                                                                    "41", "18")
                RSP("4", "200000", "41", "200") REQ("4", "200100", "41")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 0);
    assert_int_equal(report->death_count, 0);
    gateway_free(gateway);
}

/* The worker was killed 300 ms into its second request; `s`: the second of the slow log. */
#define KILLED_IN_CART                                                                             \
    EVENTS BEG("4", "100000", "41", CART, "192.0.2.7") EXIT("4", "400000", "41", "9")
#define SLOW(s)                                                                                    \
    "[22-Nov-2026 05:38:2" s "]  [pool www] pid 41\n"                                              \
    "script_filename = /srv/report.php\n[0x00007f0000000000] sleep() /srv/report.php:2\n\n"

static bool a_slow_block_is_shown(const char *slow)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", CART, "0.301", "192.0.2.7"),
                                       .php = slow,
                                       .events = KILLED_IN_CART},
                 &report);
    bool shown = false;

    assert_int_equal(report->row_count, 1);
    for (int i = 0; i < report->rows[0].evidence_count; i++)
        shown |= slice_find(report->rows[0].evidence[i], SLICE("slow log")) >= 0;
    gateway_free(gateway);
    return shown;
}

static void test_the_slow_log_of_an_earlier_request_says_nothing_of_this_one(void **state)
{
    (void) state;
    assert_true(a_slow_block_is_shown(SLOW("4")));
    assert_false(a_slow_block_is_shown(SLOW("1")));
}

static size_t notes_of_a_killed_worker(const char *access)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = access, .events = KILLED_IN_CART}, &report);
    const size_t count = report->note_count;

    gateway_free(gateway);
    return count;
}

static void test_that_no_access_log_was_read_is_not_taken_for_no_failure(void **state)
{
    (void) state;
    assert_int_equal(notes_of_a_killed_worker(NULL), 1);
    assert_int_equal(notes_of_a_killed_worker(BACK("4", "200", "/other", "0.1", "192.0.2.9")), 0);
}

static void test_bystanders_of_an_emergency_restart_point_at_the_crash(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = BACK("4", "502", "/crash", "0.101", "192.0.2.7")
                BACK("4", "502", "/innocent", "0.300", "192.0.2.8"),
            .error = FAULT("4", RESET, "/crash", "192.0.2.7", PHP_SOCKET)
                FAULT("4", RESET, "/innocent", "192.0.2.8", PHP_SOCKET),
            .fpm = FPM("3", "NOTICE: fpm is running, pid 900") FPM(
                "4", "WARNING: [pool www] child 41 exited on signal 11 (SIGSEGV) after 2.0 "
                     "seconds from start")
                FPM("4", "WARNING: failed processes threshold (3 in 60 sec) is reached, initiating "
                         "reload") FPM("4", "NOTICE: Reloading in progress ..."),
            .events = EVENTS BEG("4", "000000", "41", "/crash", "192.0.2.7")
                BEG("4", "050000", "42", "/innocent", "192.0.2.8") CRASH("4", "100000", "41", SEGV)
                    EXIT("4", "101000", "41", "11") KILL("4", "340000", "42", "3")
                        KILL("4", "340010", "42", "15") EXIT("4", "345000", "42", "15")},
        &report);
    const struct gateway_row *innocent = row_with_client(report, "192.0.2.8");

    (void) state;
    assert_int_equal(report->row_count, 2);
    assert_true(innocent->innocent);
    assert_int_equal(innocent->reason, REASON_EMERGENCY_RESTART);
    assert_string_equal(innocent->culprit.ptr, "GET /crash");
    assert_false(row_with_client(report, "192.0.2.7")->innocent);
    gateway_free(gateway);
}

static void test_without_events_the_second_of_php_fpms_log_ties(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = BACK("4", "502", CART, "0.101", "192.0.2.7"),
            .error = FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET),
            .fpm = FPM("4", "WARNING: [pool www] child 41 exited on signal 11 (SIGSEGV) after 2.0 "
                            "seconds from start")},
        &report);

    (void) state;
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_crash);
    assert_int_equal(report->rows[0].pids[0], 41);
    assert_string_equal(report->rows[0].pool.ptr, "www");
    gateway_free(gateway);
}

static void test_masked_queries_of_the_store_still_tie(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){.access = BACK("4", "502", "/s/?q=boots&p=2", "0.101", "192.0.2.7")
                                  BACK("4", "502", "/s/?q=boots", "0.101", "192.0.2.7"),
                              .error = FAULT("4", RESET, "/s/?q=boots&p=2", "192.0.2.7", PHP_SOCKET)
                                  FAULT("4", RESET, "/s/?q=boots", "192.0.2.7", PHP_SOCKET),
                              .events = EVENTS BEG("4", "100000", "41", "/s/?q=*&p=*", "192.0.2.7")
                                  BEG("4", "100000", "42", "/s/?q=*", "192.0.2.7") CRASH(
                                      "4", "200000", "41", SEGV) CRASH("4", "200000", "42", SEGV)},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    for (int i = 0; i < 2; i++) {
        bool long_one = slice_equal(report->rows[i].uri, SLICE("/s/?q=boots&p=2"));

        assert_int_equal(report->rows[i].pid_count, 1);
        assert_int_equal(report->rows[i].pids[0], long_one ? 41 : 42);
    }
    gateway_free(gateway);
}

/* process_control_timeout: SIGQUIT first, SIGTERM for who is still there seconds later. */
static void test_a_patient_stop_is_no_time_out(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){.access = BACK("6", "502", CART, "3.901", "192.0.2.7"),
                              .error = FAULT("6", RESET, CART, "192.0.2.7", PHP_SOCKET),
                              .events = EVENTS BEG("2", "200000", "41", CART, "192.0.2.7")
                                  KILL("3", "000000", "41", "3") KILL("6", "100000", "41", "15")
                                      EXIT("6", "101000", "41", "15")},
        &report);

    (void) state;
    assert_int_equal(report->rows[0].verdict, VERDICT_pool_restart);
    gateway_free(gateway);
}

/* The shim saw 41 die of the time-out; 77 crashed in the same second, and only the kernel says so.
 */
static void
test_a_crash_of_another_php_fpm_takes_no_share_of_a_request_that_has_its_death(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = HOP_ID("4", "502", CART, "1.301", "phpfpm", "8081", "192.0.2.7", "id-1"),
            .error = FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET),
            .kernel = "Nov 22 05:38:24 shop kernel: php-fpm8.2[77]: segfault at 0 ip "
                      "00007f2b7b4e7ad8 sp 00007ffc5e5d8a48 error 6 in "
                      "libc.so.6[7f2b7b3a6000+156000]\n",
            .events = EVENTS BEG_ID("3", "100000", "41", CART, "192.0.2.7", "id-1")
                KILL("4", "390000", "41", "15") EXIT("4", "400000", "41", "15")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_request_timeout_killed);
    assert_int_equal(report->rows[0].pid_count, 1);
    assert_int_equal(report->rows[0].pids[0], 41);
    assert_int_equal(report->rows[0].join, JOIN_EXACT);
    gateway_free(gateway);
}

/* The stock format, whole seconds: 41 was shot, and 77 of another php-fpm crashed in that second.
 */
static void
test_without_ids_a_crash_of_another_php_fpm_is_not_believed_before_the_shim(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = BACK("4", "502", CART, "0.191", "192.0.2.7"),
            .error = FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET),
            .kernel = "Nov 22 05:38:24 shop kernel: php-fpm8.2[77]: segfault at 0 ip "
                      "00007f2b7b4e7ad8 sp 00007ffc5e5d8a48 error 6 in "
                      "libc.so.6[7f2b7b3a6000+156000]\n",
            .fpm = FPM("4", "WARNING: [pool www] child 41 exited on signal 9 (SIGKILL) after "
                            "2.0 seconds from start"),
            .events =
                EVENTS BEG("4", "100000", "41", CART, "192.0.2.7") EXIT("4", "290000", "41", "9")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_killed);
    assert_int_equal(report->rows[0].pid_count, 1);
    assert_int_equal(report->rows[0].pids[0], 41);
    gateway_free(gateway);
}

/* A busy host: 41 was shot after 0.19 s, its master could wait() for it 0.4 s later. */
static void test_a_master_that_reaps_late_loses_no_death(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = HOP_ID("4", "502", CART, "0.191", "phpfpm", "8081", "192.0.2.7", "id-1"),
            .error = FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET),
            .events = EVENTS BEG_ID("4", "100000", "41", CART, "192.0.2.7", "id-1")
                EXIT("4", "690000", "41", "9")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_killed);
    assert_int_equal(report->rows[0].pids[0], 41);
    gateway_free(gateway);
}

/* Neither the shim nor php-fpm's log knows 77; this reset has another cause, and nobody says which.
 */
static void
test_a_crash_that_only_the_kernel_knows_is_somebody_elses_where_both_others_watch(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){.access = BACK("4", "502", CART, "0.191", "192.0.2.7"),
                              .error = FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET),
                              .kernel =
                                  "Nov 22 05:38:24 shop kernel: php-fpm8.2[77]: segfault at 0 ip "
                                  "00007f2b7b4e7ad8 sp 00007ffc5e5d8a48 error 6 in "
                                  "libc.so.6[7f2b7b3a6000+156000]\n",
                              .fpm = FPM("3", "NOTICE: fpm is running, pid 900"),
                              .events = EVENTS BEG("3", "100000", "41", "/other", "192.0.2.7")
                                  RSP("3", "200000", "41", "200") REQ("3", "300000", "41")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_not_equal(report->rows[0].verdict, VERDICT_worker_crash);
    assert_int_equal(report->rows[0].pid_count, 0);
    gateway_free(gateway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_crash_after_the_response_belongs_to_its_200),
        cmocka_unit_test(test_a_stop_for_the_slow_log_is_no_death),
        cmocka_unit_test(test_the_slow_log_of_an_earlier_request_says_nothing_of_this_one),
        cmocka_unit_test(test_that_no_access_log_was_read_is_not_taken_for_no_failure),
        cmocka_unit_test(test_bystanders_of_an_emergency_restart_point_at_the_crash),
        cmocka_unit_test(test_without_events_the_second_of_php_fpms_log_ties),
        cmocka_unit_test(test_masked_queries_of_the_store_still_tie),
        cmocka_unit_test(test_a_patient_stop_is_no_time_out),
        cmocka_unit_test(
            test_a_crash_of_another_php_fpm_takes_no_share_of_a_request_that_has_its_death),
        cmocka_unit_test(
            test_without_ids_a_crash_of_another_php_fpm_is_not_believed_before_the_shim),
        cmocka_unit_test(test_a_master_that_reaps_late_loses_no_death),
        cmocka_unit_test(
            test_a_crash_that_only_the_kernel_knows_is_somebody_elses_where_both_others_watch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
