/* test_gateway_folds.c - lines of one request at several hops are one row, lines of two are two. */
#include "gateway_case.h"

static void test_front_and_back_lines_are_one_row(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", CART, "0.120", "192.0.2.7")
                                           FRONT("4", "502", CART, "0.123", "192.0.2.7")},
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
        case_run((struct gateway_case){.access = BACK("4", "502", CART, "0.120", "192.0.2.7")
                                           FRONT("4", "502", CART, "0.123", "192.0.2.8")},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 2);
    gateway_free(gateway);
}

static void test_lines_without_listener_are_folded_by_counting_errors(void **state)
{
    const char *two =
        COMBINED("4", "502", CART, "192.0.2.7") COMBINED("4", "502", CART, "192.0.2.7");
    const char *one_error = FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET);
    const char *two_errors = FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET)
        FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET);
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

static void test_lines_that_nobody_counts_are_folded_only_beside_each_other(void **state)
{
#define OTHER(n) COMBINED("4", "502", "/other/" n "/", "192.0.2.7")
    const char *round = COMBINED("4", "502", CART, "192.0.2.7") OTHER("1") OTHER("2") OTHER("3")
        COMBINED("4", "502", CART, "192.0.2.7") OTHER("4");
    const char *twins =
        COMBINED("4", "502", CART, "192.0.2.7") COMBINED("4", "502", CART, "192.0.2.7");
    const struct gateway_report *report;
    struct gateway *gateway = case_run((struct gateway_case){.access = round}, &report);

    (void) state;
    assert_int_equal(report->row_count, 6);
    assert_int_equal(report->note_count, 0);
    gateway_free(gateway);
    gateway = case_run((struct gateway_case){.access = twins}, &report);
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->note_count, 1);
    gateway_free(gateway);
#undef OTHER
}

static void test_twins_among_many_single_failures_are_two_requests(void **state)
{
    const char *few_twins = COMBINED("4", "502", CART, "192.0.2.7")
        COMBINED("4", "502", CART, "192.0.2.7") COMBINED("4", "502", "/1/", "192.0.2.7")
            COMBINED("4", "502", "/2/", "192.0.2.7") COMBINED("4", "502", "/3/", "192.0.2.7");
    const struct gateway_report *report;
    struct gateway *gateway = case_run((struct gateway_case){.access = few_twins}, &report);

    (void) state;
    assert_int_equal(report->row_count, 5);
    gateway_free(gateway);
}

static void test_a_client_that_left_hides_the_backs_502(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = FRONT("3", "499", CART, "0.500", "192.0.2.7")
                                           BACK("5", "502", CART, "2.000", "192.0.2.7"),
                                       .error = FAULT("5", RESET, CART, "192.0.2.7", PHP_SOCKET),
                                       .events = EVENTS BEG("3", "300000", "41", CART, "192.0.2.7")
                                           CRASH("5", "100000", "41", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].client_status, 499);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_crash);
    assert_int_equal(report->rows[0].pids[0], 41);
    gateway_free(gateway);
}

static void test_one_502_may_have_cost_two_workers(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = BACK("4", "502", CART, "0.420", "192.0.2.7"),
                                       .error = TWINS_ERROR,
                                       .events = EVENTS BEG("4", "100000", "41", CART, "192.0.2.7")
                                           CRASH("4", "300000", "41", SEGV)
                                               BEG("4", "302000", "42", CART, "192.0.2.7")
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
        case_run((struct gateway_case){.access = BACK("4", "200", CART, "0.420", "192.0.2.7"),
                                       .error = FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET),
                                       .events = EVENTS BEG("4", "100000", "41", CART, "192.0.2.7")
                                           CRASH("4", "300000", "41", SEGV)},
                 &report);

    (void) state;
    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].client_status, 200);
    assert_int_equal(report->rows[0].pids[0], 41);
    assert_int_equal(report->death_count, 1); /* no 5xx shows it */
    gateway_free(gateway);
}

static void test_requests_that_went_well_make_no_rows(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = BACK("4", "200", CART, "0.102", "192.0.2.7"),
            .events = EVENTS BEG("4", "100000", "41", CART, "192.0.2.7")
                RSP("4", "200000", "41", "200") REQ("4", "200100", "41") "{\"e\":\"exit\"," TS(
                    "4", "300000") ",\"pid\":41,\"master\":900,\"code\":0}\n"},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 0);
    assert_int_equal(report->death_count, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_front_and_back_lines_are_one_row),
        cmocka_unit_test(test_two_visitors_of_one_uri_are_two_rows),
        cmocka_unit_test(test_lines_without_listener_are_folded_by_counting_errors),
        cmocka_unit_test(test_lines_that_nobody_counts_are_folded_only_beside_each_other),
        cmocka_unit_test(test_twins_among_many_single_failures_are_two_requests),
        cmocka_unit_test(test_a_client_that_left_hides_the_backs_502),
        cmocka_unit_test(test_one_502_may_have_cost_two_workers),
        cmocka_unit_test(test_a_second_upstream_hides_a_crash_behind_a_200),
        cmocka_unit_test(test_requests_that_went_well_make_no_rows),
        cmocka_unit_test(test_a_bare_host_with_a_port_is_the_same_host_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
