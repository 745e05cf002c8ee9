/* test_access_combined.c - common, combined, vcombined, and combined with more behind. */
#include "log_fixture.h"

#define COMBINED                                                                                   \
    "2a02:a44f:1:2::5 - - [22/Nov/2026:05:38:43 +0000] \"GET /dames/ HTTP/1.1\" 200 11021 "        \
    "\"https://shop.nl/\" \"Mozilla/5.0 (\\x22X\\x22)\""

static const struct log_access *parse(void **state, const char *line)
{
    struct log_fixture *fixture = *state;

    assert_true(log_fixture_parse(fixture, access_combined_parse, line));
    return &fixture->event.access;
}

static void test_a_combined_line_gives_every_field_it_has(void **state)
{
    const struct log_access *access = parse(state, COMBINED);

    assert_slice(access->remote_addr, "2a02:a44f:1:2::5");
    assert_slice(access->host, "");
    assert_slice(access->method, "GET");
    assert_slice(access->uri, "/dames/");
    assert_int_equal(access->status, 200);
    assert_int_equal(access->body_bytes, 11021);
    assert_slice(access->referer, "https://shop.nl/");
    assert_slice(access->user_agent, "Mozilla/5.0 (\"X\")");
    assert_int_equal(access->request_time_us, -1);
    assert_int_equal(((struct log_fixture *) *state)->event.time_us, 1795325923000000);
}

static void test_vcombined_has_the_host_in_front(void **state)
{
    const struct log_access *access = parse(state, "www.shop.nl:443 " COMBINED);

    assert_slice(access->host, "www.shop.nl");
    assert_slice(access->port, "443");
    assert_slice(access->remote_addr, "2a02:a44f:1:2::5");
    access = parse(state, "www.shop.nl " COMBINED);
    assert_slice(access->host, "www.shop.nl");
    assert_slice(access->port, "");
}

static void test_a_user_name_with_a_blank_is_not_a_host(void **state)
{
    const struct log_access *access =
        parse(state, "1.2.3.4 - jan jansen [22/Nov/2026:05:38:43 +0000] \"GET / HTTP/1.1\" 401 5");

    assert_slice(access->remote_addr, "1.2.3.4");
    assert_slice(access->host, "");
}

static void test_named_values_behind_are_understood(void **state)
{
    const struct log_access *access =
        parse(state, COMBINED
              " \"1.2.3.4, 5.6.7.8\" rt=0.065 urt=\"0.064, 0.001\" us=\"502, 200\" rid=ab -");

    assert_int_equal(access->request_time_us, 65000);
    assert_int_equal(access->upstream_count, 2);
    assert_int_equal(access->upstream_status[0], 502);
    assert_int_equal(access->upstream_time_us[0], 64000);
    assert_slice(access->request_id, "ab");
}

static void test_a_bad_request_without_bytes_is_still_a_line(void **state)
{
    const struct log_access *access = parse(
        state, "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"\\x16\\x03\\x01\" 400 - \"-\" \"-\"");

    assert_int_equal(access->status, 400);
    assert_int_equal(access->body_bytes, -1);
    assert_slice(access->method, "");
    assert_slice(access->user_agent, "");
}

static void test_lines_of_other_programs_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "[]",
        "a b c [22/Nov/2026:05:38:43 +0000]",
        "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"GET / HTTP/1.1\"",
        "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"GET / HTTP/1.1\" abc 5",
        "1.2.3.4 - - [yesterday] \"GET / HTTP/1.1\" 200 5",
        "Nov 22 05:38:44 shop sshd[1]: Accepted [x] \"y\" 200 5",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_false(log_fixture_parse(*state, access_combined_parse, lines[i]));
}

static void test_an_agent_that_is_cut_off_leaves_the_rest_of_the_line(void **state)
{
    const struct log_access *access = parse(
        state, "1.2.3.4 - - [22/Nov/2026:05:38:43 +0000] \"GET / HTTP/1.1\" 502 5 \"-\" \"Mozil");

    assert_int_equal(access->status, 502);
    assert_slice(access->user_agent, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_a_combined_line_gives_every_field_it_has),
        log_test(test_vcombined_has_the_host_in_front),
        log_test(test_a_user_name_with_a_blank_is_not_a_host),
        log_test(test_named_values_behind_are_understood),
        log_test(test_a_bad_request_without_bytes_is_still_a_line),
        log_test(test_lines_of_other_programs_are_refused),
        log_test(test_an_agent_that_is_cut_off_leaves_the_rest_of_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
