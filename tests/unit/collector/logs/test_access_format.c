/* test_access_format.c - a log_format string and the lines that it writes. */
#include "logs/access_format.h"

#include "log_fixture.h"

static const struct log_access *parse(void **state, const char *format, const char *line)
{
    static struct access_format compiled; /* large; each test compiles its own */
    struct log_fixture *fixture = *state;

    assert_null(access_format_compile(&compiled, &fixture->names, format));
    fixture->context.format = &compiled;
    assert_true(log_fixture_parse(fixture, access_custom_parse, line));
    return &fixture->event.access;
}

static void assert_problem(void **state, const char *format, const char *part)
{
    struct access_format compiled;
    const char *problem =
        access_format_compile(&compiled, &((struct log_fixture *) *state)->names, format);

    assert_non_null(problem);
    assert_non_null(strstr(problem, part));
}

static void test_values_are_what_stands_between_the_literals(void **state)
{
    const struct log_access *access = parse(
        state, "$remote_addr|$time_iso8601|$request_method|$request_uri|$status|$request_time|",
        "1.2.3.4|2026-11-22T05:38:43+00:00|GET|/a b?c|502|1.250|");

    assert_slice(access->remote_addr, "1.2.3.4");
    assert_slice(access->uri, "/a b?c");
    assert_int_equal(access->status, 502);
    assert_int_equal(access->request_time_us, 1250000);
}

static void test_a_date_a_request_and_lists_keep_their_blanks_without_quotes(void **state)
{
    const struct log_access *access =
        parse(state,
              "$time_local $host $request $status $upstream_addr $upstream_status "
              "$upstream_response_time $http_user_agent",
              "22/Nov/2026:05:38:43 +0000 shop.nl GET /a b HTTP/1.1 200 unix:/run/a, 127.0.0.1:9 "
              "502, 200 0.001, 0.002 : 0.003 Mozilla 5.0");

    assert_int_equal(((struct log_fixture *) *state)->event.time_us, 1795325923000000);
    assert_slice(access->host, "shop.nl");
    assert_slice(access->uri, "/a b");
    assert_int_equal(access->status, 200);
    assert_int_equal(access->upstream_count, 3);
    assert_slice(access->upstream_addr[1], "127.0.0.1:9");
    assert_int_equal(access->upstream_status[1], 200);
    assert_int_equal(access->upstream_time_us[2], 3000);
    assert_slice(access->user_agent, "Mozilla 5.0");
}

static void test_a_value_may_be_a_dash_where_a_list_was_expected(void **state)
{
    const struct log_access *access =
        parse(state, "[$time_local] \"$request\" $status $upstream_status $host",
              "[22/Nov/2026:05:38:43 +0000] \"GET / HTTP/1.1\" 304 - shop.nl");

    assert_int_equal(access->upstream_count, 0);
    assert_slice(access->host, "shop.nl");
}

static void test_json_written_by_a_log_format_is_unescaped(void **state)
{
    const struct log_access *access =
        parse(state,
              "escape=json '{\"a\":\"$request\",' "
              "'\"b\":$msec,\"c\":\"$status\",\"d\":\"$http_user_agent\"}'",
              "{\"a\":\"GET /\\\"x\\\\\\\" "
              "HTTP/1.1\",\"b\":1795325923.623,\"c\":\"200\",\"d\":\"q\\\"r\"}");

    assert_slice(access->uri, "/\"x\\\"");
    assert_slice(access->user_agent, "q\"r");
}

static void test_with_escape_none_nothing_is_undone(void **state)
{
    const struct log_access *access = parse(state, "escape=none $msec $status \"$request\"",
                                            "1795325923.623 200 \"GET /\\x41 HTTP/1.1\"");

    assert_slice(access->uri, "/\\x41");
}

static void test_the_line_of_nginx_conf_can_be_pasted_as_it_is(void **state)
{
    const struct log_access *access =
        parse(state,
              "log_format main '$remote_addr - $remote_user [$time_local] '\n"
              "                '\"$request\" ${status}x';",
              "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"GET / HTTP/1.1\" 502x");

    assert_int_equal(access->status, 502);
    assert_slice(access->remote_user, "");
}

static void test_a_uri_may_follow_the_host_and_be_followed_by_its_arguments(void **state)
{
    const struct log_access *access =
        parse(state, "$msec $status $request_method $scheme://$host$uri$is_args$args end",
              "1795325923.623 200 GET https://shop.nl/a/b?c=d end");

    assert_slice(access->host, "shop.nl");
    assert_slice(access->uri, "/a/b?c=d");
    assert_true(access->uri_rewritten);
}

static void test_a_line_of_another_format_is_refused(void **state)
{
    (void) parse(state, "$msec $status \"$request\"", "1795325923.623 200 \"GET / HTTP/1.1\"");
    assert_false(
        log_fixture_parse(*state, access_custom_parse, "1795325923.623 200 \"GET / HTTP/1.1"));
    assert_false(
        log_fixture_parse(*state, access_custom_parse, "1795325923.623 200 \"GET / HTTP/1.1\" 5"));
    assert_false(log_fixture_parse(*state, access_custom_parse, "x 200 \"GET / HTTP/1.1\""));
    assert_false(log_fixture_parse(*state, access_custom_parse, ""));
}

static void test_a_format_that_cannot_be_used_is_refused_with_the_reason(void **state)
{
    char many[4096] = "$msec $status $request ";

    assert_problem(state, "", "$status");
    assert_problem(state, "$msec $request", "$status");
    assert_problem(state, "$status $request", "time");
    assert_problem(state, "$status $msec", "$request");
    assert_problem(state, "$msec$status $request", "touch");
    memset(many + strlen(many), 'x', sizeof many - strlen(many) - 1);
    assert_problem(state, many, "too long");
    many[23] = '\0';
    for (int i = 0; i < 70; i++)
        strcat(many, "$a ");
    assert_problem(state, many, "too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_values_are_what_stands_between_the_literals),
        log_test(test_a_date_a_request_and_lists_keep_their_blanks_without_quotes),
        log_test(test_a_value_may_be_a_dash_where_a_list_was_expected),
        log_test(test_json_written_by_a_log_format_is_unescaped),
        log_test(test_with_escape_none_nothing_is_undone),
        log_test(test_the_line_of_nginx_conf_can_be_pasted_as_it_is),
        log_test(test_a_uri_may_follow_the_host_and_be_followed_by_its_arguments),
        log_test(test_a_line_of_another_format_is_refused),
        log_test(test_a_format_that_cannot_be_used_is_refused_with_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
