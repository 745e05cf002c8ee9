/* test_nginx_error.c - nginx's error log, and words in it that are not nginx's. */
#include <stdio.h>

#include "log_fixture.h"

#include "logs/records.h"

#define HEAD "2026/11/22 05:38:44 [error] 14494#14494: *6 "
#define TAIL                                                                                       \
    ", client: 145.53.9.77, server: www.shop.nl, request: \"GET /a?b=1 HTTP/1.1\", upstream: "     \
    "\"fastcgi://unix:/run/php/fpm.sock:\", host: \"www.shop.nl\""

static const struct log_nginx_error *parse(void **state, const char *line)
{
    struct log_fixture *fixture = *state;

    assert_true(log_fixture_parse(fixture, nginx_error_parse, line));
    return &fixture->event.nginx;
}

static void test_a_reset_gives_the_request_it_was_about(void **state)
{
    const struct log_nginx_error *nginx =
        parse(state, HEAD "recv() failed (104: Connection reset by peer) while reading response "
                          "header from upstream" TAIL);

    assert_int_equal(nginx->cause, NGINX_RESET);
    assert_slice(nginx->level, "error");
    assert_slice(nginx->message, "recv() failed (104: Connection reset by peer) while reading "
                                 "response header from upstream");
    assert_int_equal(nginx->pid, 14494);
    assert_int_equal(nginx->connection, 6);
    assert_slice(nginx->client, "145.53.9.77");
    assert_slice(nginx->server, "www.shop.nl");
    assert_slice(nginx->method, "GET");
    assert_slice(nginx->uri, "/a?b=1");
    assert_slice(nginx->upstream, "fastcgi://unix:/run/php/fpm.sock:");
    assert_slice(nginx->host, "www.shop.nl");
    assert_true(nginx->fastcgi);
    assert_false(nginx->after_header);
    assert_int_equal(((struct log_fixture *) *state)->event.time_us, 1795325924000000);
    assert_false(((struct log_fixture *) *state)->event.zone_known);
}

static void test_every_message_has_its_cause(void **state)
{
    static const struct {
        const char *message;
        enum log_nginx_cause cause;
    } cases[] = {
        {"readv() failed (104: Connection reset by peer) while reading upstream", NGINX_RESET},
        {"upstream prematurely closed connection while reading response header from upstream",
         NGINX_CLOSED_EARLY},
        {"upstream prematurely closed FastCGI stdout while reading response header from upstream",
         NGINX_CLOSED_EARLY},
        {"connect() to unix:/run/php/fpm.sock failed (2: No such file or directory) while "
         "connecting "
         "to upstream",
         NGINX_CONNECT_ENOENT},
        {"connect() to unix:/run/php/fpm.sock failed (11: Resource temporarily unavailable) while "
         "connecting to upstream",
         NGINX_CONNECT_EAGAIN},
        {"connect() failed (111: Connection refused) while connecting to upstream",
         NGINX_CONNECT_REFUSED},
        {"connect() failed (113: No route to host) while connecting to upstream",
         NGINX_CONNECT_OTHER},
        {"connect() to unix:/run/php/fpm.sock failed (13: Permission denied) while connecting to "
         "upstream",
         NGINX_CONNECT_DENIED},
        {"no live upstreams while connecting to upstream", NGINX_NO_LIVE},
        {"upstream timed out (110: Connection timed out) while connecting to upstream",
         NGINX_CONNECT_TIMEOUT},
        {"upstream timed out (110: Connection timed out) while reading response header from "
         "upstream",
         NGINX_READ_TIMEOUT},
        {"upstream timed out (110: Operation timed out) while reading upstream",
         NGINX_READ_TIMEOUT},
        {"upstream sent too big header while reading response header from upstream",
         NGINX_HEADER_TOO_BIG},
        {"FastCGI sent in stderr: \"PHP message: connect() failed (111: x)\" while reading "
         "response "
         "header from upstream",
         NGINX_STDERR},
        {"client timed out (110: Connection timed out) while waiting for request", NGINX_OTHER},
        {"client 1.2.3.4 closed keepalive connection", NGINX_OTHER},
        {"recv() failed (104: Connection reset by peer) while reading client request line",
         NGINX_OTHER},
    };
    char line[1024];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(line, sizeof line, HEAD "%s" TAIL, cases[i].message);
        assert_int_equal(parse(state, line)->cause, cases[i].cause);
    }
}

static void test_after_the_headers_nginx_reads_the_body(void **state)
{
    assert_true(parse(state, HEAD "readv() failed (104: Connection reset by peer) while reading "
                                  "upstream" TAIL)
                    ->after_header);
}

static void test_an_http_upstream_is_not_fastcgi(void **state)
{
    const struct log_nginx_error *nginx =
        parse(state, HEAD
              "connect() failed (111: Connection refused) while connecting to upstream, client: "
              "1.2.3.4, server: , request: \"POST /x HTTP/2.0\", upstream: "
              "\"http://127.0.0.1:6081/x\", host: \"a.nl\", referrer: \"https://a.nl/\"");

    assert_false(nginx->fastcgi);
    assert_slice(nginx->server, "");
    assert_slice(nginx->method, "POST");
    assert_slice(nginx->referer, "https://a.nl/");
}

static void test_a_referrer_cannot_pretend_to_be_the_client(void **state)
{
    const struct log_nginx_error *nginx = parse(
        state,
        HEAD "recv() failed (104: Connection reset by peer) while reading response header from "
             "upstream, client: 1.2.3.4, server: s, request: \"GET /?\", host: \"evil HTTP/1.1\", "
             "upstream: \"fastcgi://u\", host: \"h\", referrer: \"x, client: 9.9.9.9, server: z\"");

    assert_slice(nginx->client, "1.2.3.4");
    assert_slice(nginx->server, "s");
    assert_slice(nginx->referer, "x, client: 9.9.9.9, server: z");
}

static void test_php_words_cannot_pretend_to_be_the_client(void **state)
{
    const struct log_nginx_error *nginx = parse(
        state, HEAD "FastCGI sent in stderr: \"PHP message: x, client: 9.9.9.9, server: z\n"
                    "Stack trace:\n#0 {main}\" while reading response header from upstream" TAIL);

    assert_int_equal(nginx->cause, NGINX_STDERR);
    assert_slice(nginx->client, "145.53.9.77");
    assert_slice(nginx->uri, "/a?b=1");
}

static void test_a_record_with_php_words_ends_at_its_client(void **state)
{
    (void) state;
    assert_true(nginx_error_starts(SLICE(HEAD "x" TAIL)));
    assert_false(nginx_error_starts(SLICE("#0 {main}\" while reading" TAIL)));
    assert_true(nginx_error_complete(SLICE(HEAD "x" TAIL)));
    assert_false(nginx_error_complete(SLICE(HEAD "FastCGI sent in stderr: \"a, client: b\nStack")));
    assert_true(
        nginx_error_complete(SLICE(HEAD "FastCGI sent in stderr: \"a\nb\" while reading" TAIL)));
}

static void test_a_line_without_connection_or_tail_is_whole(void **state)
{
    const struct log_nginx_error *nginx =
        parse(state, "2026/11/22 05:38:44 [notice] 1#1: signal 17 (SIGCHLD) received from 5");

    assert_int_equal(nginx->connection, -1);
    assert_slice(nginx->message, "signal 17 (SIGCHLD) received from 5");
    assert_slice(nginx->client, "");
    assert_int_equal(nginx->cause, NGINX_OTHER);
}

static void test_a_line_that_is_cut_in_its_tail_keeps_what_there_is(void **state)
{
    const struct log_nginx_error *nginx = parse(
        state, HEAD "recv() failed (104: x) while reading response header from upstream, client: "
                    "1.2.3.4, server: s, request: \"GET /abc");

    assert_slice(nginx->client, "1.2.3.4");
    assert_slice(nginx->uri, "/abc");
}

static void test_lines_of_other_programs_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "2026/11/22 05:38:44",
        "2026/11/22 05:38:44 [error] x",
        "2026/11/22 05:38:44 [a very long level] 1#1: x",
        "2026/11/22 05:38:44 main.go:17: started",
        "2026/02/30 05:38:44 [error] 1#1: x",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_false(log_fixture_parse(*state, nginx_error_parse, lines[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(test_a_reset_gives_the_request_it_was_about),
        log_test(test_every_message_has_its_cause),
        log_test(test_after_the_headers_nginx_reads_the_body),
        log_test(test_an_http_upstream_is_not_fastcgi),
        log_test(test_a_referrer_cannot_pretend_to_be_the_client),
        log_test(test_php_words_cannot_pretend_to_be_the_client),
        log_test(test_a_record_with_php_words_ends_at_its_client),
        log_test(test_a_line_without_connection_or_tail_is_whole),
        log_test(test_a_line_that_is_cut_in_its_tail_keeps_what_there_is),
        log_test(test_lines_of_other_programs_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
