/* test_access_json.c - access lines that are JSON objects, under any names. */
#include "log_fixture.h"

#define STOCK                                                                                      \
    "{\"time\":\"2026-11-22T05:38:43+00:00\", \"remote_addr\":\"84.241.200.29\", "                 \
    "\"remote_user\":\"\", \"host\":\"www.shop.nl\", \"request\":\"GET /heren/?p=2 HTTP/1.1\", "   \
    "\"status\":\"502\", \"body_bytes_sent\":\"12879\", \"referer\":\"\", "                        \
    "\"user_agent\":\"Mozilla/5.0 (X11)\", \"request_time\":\"0.065\", \"handler\":\"phpfpm\", "   \
    "\"country\":\"NL\", \"server_name\":\"www.shop.nl\", \"port\":\"23081\", "                    \
    "\"ssl_cipher\":\"\", \"ssl_protocol\":\"\"}"

static const struct log_access *parse(void **state, const char *line)
{
    struct log_fixture *fixture = *state;

    assert_true(log_fixture_parse(fixture, access_json_parse, line));
    assert_int_equal(fixture->event.kind, LOG_ACCESS);
    return &fixture->event.access;
}

static void test_a_hypernode_line_gives_every_field_it_has(void **state)
{
    const struct log_access *access = parse(state, STOCK);
    const struct log_event *event = &((struct log_fixture *) *state)->event;

    assert_int_equal(event->time_us, 1795325923000000);
    assert_int_equal(event->time_precision_us, 1000000);
    assert_true(event->zone_known);
    assert_slice(access->method, "GET");
    assert_slice(access->uri, "/heren/?p=2");
    assert_slice(access->protocol, "HTTP/1.1");
    assert_slice(access->host, "www.shop.nl");
    assert_slice(access->remote_addr, "84.241.200.29");
    assert_slice(access->remote_user, "");
    assert_slice(access->user_agent, "Mozilla/5.0 (X11)");
    assert_slice(access->handler, "phpfpm");
    assert_slice(access->port, "23081");
    assert_slice(access->country, "NL");
    assert_int_equal(access->status, 502);
    assert_int_equal(access->body_bytes, 12879);
    assert_int_equal(access->request_time_us, 65000);
    assert_int_equal(access->request_time_precision_us, 1000);
    assert_int_equal(access->upstream_count, 0);
}

static void test_the_most_precise_of_several_times_wins_whatever_the_order(void **state)
{
    struct log_fixture *fixture = *state;

    (void) parse(state, "{\"msec\":\"1795325923.623\",\"time\":\"2026-11-22T05:38:43+00:00\","
                        "\"request\":\"GET / HTTP/1.1\",\"status\":200}");
    assert_int_equal(fixture->event.time_us, 1795325923623000);
    (void) parse(state, "{\"time\":\"2026-11-22T05:38:43+00:00\",\"msec\":1795325923.623,"
                        "\"request\":\"GET / HTTP/1.1\",\"status\":200}");
    assert_int_equal(fixture->event.time_us, 1795325923623000);
    assert_int_equal(fixture->event.time_precision_us, 1000);
}

static void test_attempts_at_several_upstreams_stay_parallel(void **state)
{
    const struct log_access *access = parse(
        state, "{\"msec\":\"1795325923.623\",\"request\":\"GET / HTTP/1.1\",\"status\":\"200\","
               "\"upstream_addr\":\"unix:/run/a.sock, 127.0.0.1:9000, [::1]:9000 : 10.0.0.1:80\","
               "\"upstream_status\":\"502, 502, - : 200\","
               "\"upstream_response_time\":\"0.001, 1.250, - : 0.004\"}");

    assert_int_equal(access->upstream_count, 4);
    assert_slice(access->upstream_addr[0], "unix:/run/a.sock");
    assert_slice(access->upstream_addr[2], "[::1]:9000");
    assert_slice(access->upstream_addr[3], "10.0.0.1:80");
    assert_int_equal(access->upstream_status[1], 502);
    assert_int_equal(access->upstream_status[2], -1);
    assert_int_equal(access->upstream_status[3], 200);
    assert_int_equal(access->upstream_time_us[1], 1250000);
    assert_int_equal(access->upstream_time_us[2], -1);
}

static void test_more_attempts_than_fit_keep_the_first(void **state)
{
    const struct log_access *access = parse(
        state, "{\"msec\":\"1795325923.623\",\"request\":\"GET / HTTP/1.1\",\"status\":\"200\","
               "\"upstream_status\":\"501, 502, 503, 504, 505, 506, 507, 508, 509, 510\"}");

    assert_int_equal(access->upstream_count, LOG_UPSTREAMS_MAX);
    assert_int_equal(access->upstream_status[0], 501);
    assert_int_equal(access->upstream_status[LOG_UPSTREAMS_MAX - 1], 508);
}

static void test_names_of_other_shops_mean_the_same(void **state)
{
    const struct log_access *access = parse(
        state, "{\"@timestamp\":\"2026-11-22T05:38:43.5Z\",\"clientip\":\"1.2.3.4\","
               "\"verb\":\"POST\",\"request_uri\":\"/a?b\",\"status_code\":502,\"vhost\":\"x.nl\","
               "\"agent\":\"curl\",\"referrer\":\"-\",\"duration_ms\":1500,\"req_id\":\"abc\"}");

    assert_slice(access->method, "POST");
    assert_slice(access->uri, "/a?b");
    assert_slice(access->host, "x.nl");
    assert_slice(access->remote_addr, "1.2.3.4");
    assert_slice(access->referer, "");
    assert_slice(access->request_id, "abc");
    assert_int_equal(access->request_time_us, 1500000);
    assert_int_equal(access->request_time_precision_us, 1000);
}

static void test_objects_inside_are_entered_and_arrays_stepped_over(void **state)
{
    const struct log_access *access =
        parse(state, "{\"tags\":[\"a]\",{\"status\":\"1\"}],\"meta\":{},\"nginx\":{\"access\":{"
                     "\"time\":\"2026-11-22T05:38:43Z\",\"method\":\"GET\",\"url\":\"/x\"}},"
                     "\"response_code\": 502 , \"ok\":true,\"host\":null}");

    assert_slice(access->uri, "/x");
    assert_slice(access->host, "");
    assert_int_equal(access->status, 502);
}

static void test_escapes_are_undone_in_json_and_in_nginx_manner(void **state)
{
    const struct log_access *access =
        parse(state,
              "{\"msec\":1795325923.623,\"request\":\"GET /\\\"a\\\\\\u0041\\x42\\u00e9 HTTP/1.1\","
              "\"status\":200,\"user_agent\":\"\\ud83d\\ude00\\q\\\\\"}");

    assert_slice(access->uri, "/\"a\\AB\xc3\xa9");
    assert_slice(access->user_agent, "\xf0\x9f\x98\x80\\q\\");
}

static void test_the_request_line_is_what_the_client_sent_not_the_rewritten_uri(void **state)
{
    const struct log_access *access =
        parse(state, "{\"msec\":1795325923.623,\"uri\":\"/index.php\","
                     "\"request\":\"GET /real HTTP/1.1\",\"status\":200}");

    assert_slice(access->uri, "/real");
    assert_false(access->uri_rewritten);
}

static void test_a_rewritten_uri_alone_is_taken_and_marked(void **state)
{
    const struct log_access *access =
        parse(state, "{\"msec\":1795325923.623,\"method\":\"GET\",\"uri\":\"/index.php\","
                     "\"args\":\"a=1\",\"status\":200}");

    assert_slice(access->uri, "/index.php?a=1");
    assert_true(access->uri_rewritten);
}

static void test_a_request_that_is_no_http_is_still_a_line(void **state)
{
    const struct log_access *access = parse(
        state, "{\"msec\":1795325923.623,\"request\":\"\\u0016\\u0003\\u0001\",\"status\":400}");

    assert_slice(access->method, "");
    assert_slice(access->uri, "");
    assert_int_equal(access->status, 400);
}

static void test_an_absolute_uri_is_cut_to_its_path(void **state)
{
    const struct log_access *access = parse(
        state,
        "{\"msec\":1795325923.623,\"request\":\"GET http://a.nl/x?y HTTP/1.0\",\"status\":1}");

    assert_slice(access->uri, "/x?y");
    assert_slice(access->host, "a.nl");
}

static void test_json_of_another_program_is_refused(void **state)
{
    static const char *const lines[] = {
        "{\"level\":\"info\",\"msg\":\"hello\",\"time\":\"2026-11-22T05:38:43Z\"}",
        "{\"status\":200,\"request\":\"GET / HTTP/1.1\"}", /* no time */
        "{\"time\":\"2026-11-22T05:38:43Z\",\"status\":200}",
        "{}",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}",
        "[1,2]",
        "",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_false(log_fixture_parse(*state, access_json_parse, lines[i]));
}

static void test_a_line_that_is_cut_anywhere_is_refused(void **state)
{
    char line[] = STOCK;

    for (size_t n = sizeof line - 2; n > 0; n--) {
        line[n] = '\0';
        assert_false(log_fixture_parse(*state, access_json_parse, line));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_a_hypernode_line_gives_every_field_it_has),
        log_test(test_the_most_precise_of_several_times_wins_whatever_the_order),
        log_test(test_attempts_at_several_upstreams_stay_parallel),
        log_test(test_more_attempts_than_fit_keep_the_first),
        log_test(test_names_of_other_shops_mean_the_same),
        log_test(test_objects_inside_are_entered_and_arrays_stepped_over),
        log_test(test_escapes_are_undone_in_json_and_in_nginx_manner),
        log_test(test_the_request_line_is_what_the_client_sent_not_the_rewritten_uri),
        log_test(test_a_rewritten_uri_alone_is_taken_and_marked),
        log_test(test_a_request_that_is_no_http_is_still_a_line),
        log_test(test_an_absolute_uri_is_cut_to_its_path),
        log_test(test_json_of_another_program_is_refused),
        log_test(test_a_line_that_is_cut_anywhere_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
