/* test_gateway_joins.c - one request is one row, and a dead worker is tied to it without guessing.
 */
#include "gateway_case.h"

#define URI "/checkout/cart/add/"

static const struct gateway_row *row_with_client(const struct gateway_report *report,
                                                 const char *ip)
{
    for (size_t i = 0; i < report->row_count; i++)
        if (slice_equal(report->rows[i].remote_addr, slice_of(ip)))
            return &report->rows[i];
    return NULL;
}

static void test_front_and_back_lines_are_one_row(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", URI, "0.120", "192.0.2.7")
                                           FRONT("4", "502", URI, "0.123", "192.0.2.7")},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].access_line_count, 2);
    assert_int_equal(report->rows[0].client_status, 502);
    assert_int_equal(report->rows[0].upstream_status[0], 502);
    gateway_free(gateway);
}

static void test_two_visitors_of_one_uri_are_two_rows(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", URI, "0.120", "192.0.2.7")
                                           FRONT("4", "502", URI, "0.123", "192.0.2.8")},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    gateway_free(gateway);
}

static void test_lines_without_listener_are_folded_by_counting_errors(void **state)
{
    const char *two = COMBINED("4", "502", URI, "192.0.2.7") COMBINED("4", "502", URI, "192.0.2.7");
    const char *one_error = FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET);
    const char *two_errors = FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET)
        FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET);
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = two, .error = one_error}, &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    gateway_free(gateway);
    gateway = case_run((struct gateway_case){.access = two, .error = two_errors}, &report);
    assert_int_equal(report->row_count, 2);
    gateway_free(gateway);
}

static void test_a_client_that_left_hides_the_backs_502(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = FRONT("3", "499", URI, "0.500", "192.0.2.7")
                                           BACK("5", "502", URI, "2.000", "192.0.2.7"),
                                       .error = FAULT("5", RESET, URI, "192.0.2.7", PHP_SOCKET),
                                       .events = EVENTS BEG("3", "300000", "41", URI, "192.0.2.7")
                                           CRASH("5", "100000", "41", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].client_status, 499);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_crash);
    assert_int_equal(report->rows[0].pids[0], 41);
    gateway_free(gateway);
}

/* Two equal requests from one address in one second, two workers crash together. */
#define TWINS_ACCESS                                                                               \
    BACK("4", "502", URI, "0.301", "192.0.2.7") BACK("4", "502", URI, "0.302", "192.0.2.7")
#define TWINS_EVENTS                                                                               \
    EVENTS BEG("4", "100000", "41", URI, "192.0.2.7") BEG("4", "101000", "42", URI, "192.0.2.7")   \
        CRASH("4", "400000", "41", SEGV) CRASH("4", "401000", "42", SEGV)
#define TWINS_ERROR                                                                                \
    FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET) FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET)

static void test_twins_share_their_verdict_but_not_their_workers(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){.access = TWINS_ACCESS, .error = TWINS_ERROR, .events = TWINS_EVENTS},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(report->rows[i].verdict, VERDICT_worker_crash);
        assert_int_equal(report->rows[i].join, JOIN_AMBIGUOUS);
        assert_int_equal(report->rows[i].candidates, 2);
        assert_int_equal(report->rows[i].pid_count, 2);
    }
    assert_int_equal(report->death_count, 0);
    gateway_free(gateway);
}

static void test_twins_that_died_of_different_causes_are_not_decided(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = TWINS_ACCESS,
                                       .error = TWINS_ERROR,
                                       .events = EVENTS BEG("4", "100000", "41", URI, "192.0.2.7")
                                           BEG("4", "101000", "42", URI, "192.0.2.7")
                                               CRASH("4", "400000", "41", SEGV)
                                                   EXIT("4", "401000", "42", "9")},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    assert_int_equal(report->rows[0].verdict, VERDICT_unknown);
    assert_int_equal(report->rows[1].verdict, VERDICT_unknown);
    gateway_free(gateway);
}

static void test_addresses_tell_equal_requests_apart(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", URI, "0.301", "192.0.2.7")
                                           BACK("4", "502", URI, "0.302", "192.0.2.8"),
                                       .error = FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET)
                                           FAULT("4", RESET, URI, "192.0.2.8", PHP_SOCKET),
                                       .events = EVENTS BEG("4", "100000", "41", URI, "192.0.2.8")
                                           BEG("4", "101000", "42", URI, "192.0.2.7")
                                               CRASH("4", "400000", "41", SEGV)
                                                   CRASH("4", "401000", "42", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(row_with_client(report, "192.0.2.7")->pids[0], 42);
    assert_int_equal(row_with_client(report, "192.0.2.8")->pids[0], 41);
    assert_int_equal(row_with_client(report, "192.0.2.8")->join, JOIN_STRONG);
    gateway_free(gateway);
}

static void test_request_ids_tell_twins_apart(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = HOP_ID("4", "502", URI, "0.301", "phpfpm", "8081", "192.0.2.7", "id-b")
                HOP_ID("4", "502", URI, "0.302", "phpfpm", "8081", "192.0.2.7", "id-a"),
            .error = TWINS_ERROR,
            .events = EVENTS BEG_ID("4", "100000", "41", URI, "192.0.2.7", "id-a")
                BEG_ID("4", "101000", "42", URI, "192.0.2.7", "id-b")
                    CRASH("4", "400000", "41", SEGV) CRASH("4", "401000", "42", SEGV)},
        &report);

    (void) state;
    for (size_t i = 0; i < 2; i++) {
        bool is_a = slice_equal(report->rows[i].request_id, SLICE("id-a"));

        assert_int_equal(report->rows[i].join, JOIN_EXACT);
        assert_int_equal(report->rows[i].pids[0], is_a ? 41 : 42);
    }
    gateway_free(gateway);
}

static void test_a_forged_request_id_proves_nothing(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            /* The same id again, half a minute of other work later, and on another page. */
            .access = HOP_ID("1", "502", URI, "0.301", "phpfpm", "8081", "192.0.2.7", "forged")
                HOP_ID("4", "200", "/home", "0.010", "phpfpm", "8081", "192.0.2.9", "forged"),
            .error = FAULT("1", RESET, URI, "192.0.2.7", PHP_SOCKET),
            .events = EVENTS BEG_ID("4", "000000", "43", "/home", "192.0.2.9", "forged")
                CRASH("4", "008000", "43", SEGV)},
        &report);

    (void) state;
    for (size_t i = 0; i < report->row_count; i++)
        if (slice_equal(report->rows[i].uri, SLICE(URI)))
            assert_int_equal(report->rows[i].pid_count, 0);
    gateway_free(gateway);
}

static void test_a_repeated_request_id_is_ambiguous(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = HOP_ID("4", "502", URI, "0.301", "phpfpm", "8081", "192.0.2.7", "same")
                HOP_ID("4", "502", URI, "0.302", "phpfpm", "8081", "192.0.2.7", "same"),
            .error = TWINS_ERROR,
            .events = EVENTS BEG_ID("4", "100000", "41", URI, "192.0.2.7", "same")
                BEG_ID("4", "101000", "42", URI, "192.0.2.7", "same")
                    CRASH("4", "400000", "41", SEGV) CRASH("4", "401000", "42", SEGV)},
        &report);

    (void) state;
    assert_int_equal(report->rows[0].join, JOIN_AMBIGUOUS);
    assert_int_equal(report->rows[0].candidates, 2);
    gateway_free(gateway);
}

static void test_one_502_may_have_cost_two_workers(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", URI, "0.420", "192.0.2.7"),
                                       .error = TWINS_ERROR,
                                       .events = EVENTS BEG("4", "100000", "41", URI, "192.0.2.7")
                                           CRASH("4", "300000", "41", SEGV)
                                               BEG("4", "302000", "42", URI, "192.0.2.7")
                                                   CRASH("4", "510000", "42", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].pid_count, 2);
    gateway_free(gateway);
}

static void test_a_second_upstream_hides_a_crash_behind_a_200(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "200", URI, "0.420", "192.0.2.7"),
                                       .error = FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET),
                                       .events = EVENTS BEG("4", "100000", "41", URI, "192.0.2.7")
                                           CRASH("4", "300000", "41", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].client_status, 200);
    assert_int_equal(report->rows[0].pids[0], 41);
    assert_int_equal(report->death_count, 1); /* no 5xx shows it */
    gateway_free(gateway);
}

static void test_a_crash_after_the_response_belongs_to_its_200(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = BACK("4", "200", URI, "0.102", "192.0.2.7"),
            .events = EVENTS BEG("4", "100000", "41", URI, "192.0.2.7") RSP("4", "200000", "41",
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

static void test_requests_that_went_well_make_no_rows(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = BACK("4", "200", URI, "0.102", "192.0.2.7"),
            .events = EVENTS BEG("4", "100000", "41", URI, "192.0.2.7")
                RSP("4", "200000", "41", "200") REQ("4", "200100", "41") "{\"e\":\"exit\"," TS(
                    "4", "300000") ",\"pid\":41,\"master\":900,\"code\":0}\n"},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 0);
    assert_int_equal(report->death_count, 0);
    gateway_free(gateway);
}

static void test_a_stop_for_the_slow_log_is_no_death(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = BACK("4", "200", URI, "0.102", "192.0.2.7"),
            .events = EVENTS BEG("4", "100000", "41", URI, "192.0.2.7") "{\"e\":\"stop\"," TS(
                "4", "150000") ",\"pid\":41,\"master\":900,\"status\":4991}\n" KILL("4", "150100",
                                                                                    "41", "18")
                RSP("4", "200000", "41", "200") REQ("4", "200100", "41")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 0);
    assert_int_equal(report->death_count, 0);
    gateway_free(gateway);
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
            .access = BACK("4", "502", URI, "0.101", "192.0.2.7"),
            .error = FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET),
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
        (struct gateway_case){.access = BACK("6", "502", URI, "3.901", "192.0.2.7"),
                              .error = FAULT("6", RESET, URI, "192.0.2.7", PHP_SOCKET),
                              .events = EVENTS BEG("2", "200000", "41", URI, "192.0.2.7")
                                  KILL("3", "000000", "41", "3") KILL("6", "100000", "41", "15")
                                      EXIT("6", "101000", "41", "15")},
        &report);

    (void) state;
    assert_int_equal(report->rows[0].verdict, VERDICT_pool_restart);
    gateway_free(gateway);
}

/* One worker crashed in the second of a reload that cut off another, equal request. */
static void test_a_crash_beside_a_restart_is_not_given_to_both(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = TWINS_ACCESS,
            .error = TWINS_ERROR,
            .fpm = FPM("3", "NOTICE: fpm is running, pid 900")
                FPM("4", "WARNING: [pool www] child 41 exited on signal 11 (SIGSEGV) after 2.0 "
                         "seconds from start") FPM("4", "NOTICE: Reloading in progress ...")},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    assert_int_equal(report->rows[0].verdict, VERDICT_unknown);
    assert_int_equal(report->rows[1].verdict, VERDICT_unknown);
    gateway_free(gateway);
}

/* Three equal pages went out well, one of them by a cache after its worker had crashed. */
static void test_one_masked_crash_makes_one_row_of_many_equal_pages(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "200", URI, "0.105", "192.0.2.7")
                                           BACK("4", "200", URI, "0.105", "192.0.2.7")
                                               BACK("4", "200", URI, "0.106", "192.0.2.7"),
                                       .events = EVENTS BEG("4", "300000", "41", URI, "192.0.2.7")
                                           CRASH("4", "402000", "41", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_crash);
    assert_int_equal(report->rows[0].candidates, 3);
    gateway_free(gateway);
}

/* A host with its port in the URL, no agent, no handler: $host, $http_host and HTTP_HOST differ. */
static void test_a_bare_host_with_a_port_is_the_same_host_everywhere(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access =
                "{\"time\":\"2026-11-22T05:38:24+00:00\",\"msec\":\"1795325904.207\","
                "\"remote_addr\":\"127.0.0.1\",\"host\":\"127.0.0.1\",\"request\":\"GET /a?q=1 "
                "HTTP/1.1\",\"status\":\"502\",\"user_agent\":\"\",\"request_time\":\"0.107\","
                "\"request_id\":\"id1\",\"upstream_status\":\"502\",\"server_port\":\"8081\","
                "\"handler\":\"phpfpm\"}\n",
            .error = "2026/11/22 05:38:24 [error] 7#7: *3 " RESET
                     ", client: 127.0.0.1, server: , request: \"GET /a?q=1 HTTP/1.1\", upstream: "
                     "\"" PHP_SOCKET "\", host: \"127.0.0.1:8081\"\n",
            .events = EVENTS "{\"e\":\"beg\"," TS(
                "4", "100000") ",\"pid\":41,\"seq\":1,\"pool\":\"www\",\"method\":"
                               "\"GET\",\"uri\":\"/"
                               "a?q=*\",\"host\":\"127.0.0.1:8081\",\"port\":\"8081\",\"ip\":"
                               "\"127.0.0.1\",\"rid\":\"id1\",\"start\":429568,\"uh\":"
                               "1468214722874624227}\n" CRASH("4", "200000", "41", SEGV)},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_crash);
    assert_int_equal(report->rows[0].join, JOIN_EXACT);
    assert_int_equal(report->rows[0].pids[0], 41);
    assert_int_equal(report->rows[0].line_count, 2);
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
            .access = HOP_ID("4", "502", URI, "1.301", "phpfpm", "8081", "192.0.2.7", "id-1"),
            .error = FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET),
            .kernel = "Nov 22 05:38:24 shop kernel: php-fpm8.2[77]: segfault at 0 ip "
                      "00007f2b7b4e7ad8 sp 00007ffc5e5d8a48 error 6 in "
                      "libc.so.6[7f2b7b3a6000+156000]\n",
            .events = EVENTS BEG_ID("3", "100000", "41", URI, "192.0.2.7", "id-1")
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
            .access = BACK("4", "502", URI, "0.191", "192.0.2.7"),
            .error = FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET),
            .kernel = "Nov 22 05:38:24 shop kernel: php-fpm8.2[77]: segfault at 0 ip "
                      "00007f2b7b4e7ad8 sp 00007ffc5e5d8a48 error 6 in "
                      "libc.so.6[7f2b7b3a6000+156000]\n",
            .fpm = FPM("4", "WARNING: [pool www] child 41 exited on signal 9 (SIGKILL) after "
                            "2.0 seconds from start"),
            .events =
                EVENTS BEG("4", "100000", "41", URI, "192.0.2.7") EXIT("4", "290000", "41", "9")},
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
            .access = HOP_ID("4", "502", URI, "0.191", "phpfpm", "8081", "192.0.2.7", "id-1"),
            .error = FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET),
            .events = EVENTS BEG_ID("4", "100000", "41", URI, "192.0.2.7", "id-1")
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
        (struct gateway_case){.access = BACK("4", "502", URI, "0.191", "192.0.2.7"),
                              .error = FAULT("4", RESET, URI, "192.0.2.7", PHP_SOCKET),
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
        cmocka_unit_test(test_a_master_that_reaps_late_loses_no_death),
        cmocka_unit_test(
            test_a_crash_that_only_the_kernel_knows_is_somebody_elses_where_both_others_watch),
        cmocka_unit_test(
            test_without_ids_a_crash_of_another_php_fpm_is_not_believed_before_the_shim),
        cmocka_unit_test(
            test_a_crash_of_another_php_fpm_takes_no_share_of_a_request_that_has_its_death),
        cmocka_unit_test(test_front_and_back_lines_are_one_row),
        cmocka_unit_test(test_two_visitors_of_one_uri_are_two_rows),
        cmocka_unit_test(test_lines_without_listener_are_folded_by_counting_errors),
        cmocka_unit_test(test_a_client_that_left_hides_the_backs_502),
        cmocka_unit_test(test_twins_share_their_verdict_but_not_their_workers),
        cmocka_unit_test(test_twins_that_died_of_different_causes_are_not_decided),
        cmocka_unit_test(test_addresses_tell_equal_requests_apart),
        cmocka_unit_test(test_request_ids_tell_twins_apart),
        cmocka_unit_test(test_a_forged_request_id_proves_nothing),
        cmocka_unit_test(test_a_repeated_request_id_is_ambiguous),
        cmocka_unit_test(test_one_502_may_have_cost_two_workers),
        cmocka_unit_test(test_a_second_upstream_hides_a_crash_behind_a_200),
        cmocka_unit_test(test_a_crash_after_the_response_belongs_to_its_200),
        cmocka_unit_test(test_requests_that_went_well_make_no_rows),
        cmocka_unit_test(test_a_stop_for_the_slow_log_is_no_death),
        cmocka_unit_test(test_bystanders_of_an_emergency_restart_point_at_the_crash),
        cmocka_unit_test(test_without_events_the_second_of_php_fpms_log_ties),
        cmocka_unit_test(test_masked_queries_of_the_store_still_tie),
        cmocka_unit_test(test_a_patient_stop_is_no_time_out),
        cmocka_unit_test(test_a_crash_beside_a_restart_is_not_given_to_both),
        cmocka_unit_test(test_one_masked_crash_makes_one_row_of_many_equal_pages),
        cmocka_unit_test(test_a_bare_host_with_a_port_is_the_same_host_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
