/* test_line_mask.c - no value of a query string gets into the store with a log line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/collect/line_mask.h"

static void becomes(const char *line, const char *want)
{
    char buffer[8192];
    const struct slice got = line_mask(slice_of(line), URI_HIDE_VALUES, buffer, sizeof buffer);

    assert_int_equal(got.len_bytes, strlen(got.ptr));
    assert_string_equal(got.ptr, want);
}

static void test_queries_are_masked_wherever_they_stand_in_a_line(void **state)
{
    (void) state;
    becomes("\"GET /a?token=s3cret&p=2 HTTP/1.1\" 200 \"https://x.nl/?mail=a%40b.nl\"",
            "\"GET /a?token=*&p=* HTTP/1.1\" 200 \"https://x.nl/?mail=*\"");
    becomes("request: \"POST /pay?card=4111 HTTP/2.0\", upstream: \"fastcgi://unix:/x\"",
            "request: \"POST /pay?card=* HTTP/2.0\", upstream: \"fastcgi://unix:/x\"");
    becomes("{\"uri\":\"/a\",\"args\":\"token=s3cret&p=2\",\"status\":502}",
            "{\"uri\":\"/a\",\"args\":\"token=*&p=*\",\"status\":502}");
}

static void test_a_line_without_a_query_stays_as_it_is(void **state)
{
    static const char *const lines[] = {
        "",
        "?",
        "[22-Nov-2026 08:14:45] WARNING: [pool www] child 26900 exited on signal 11",
        "{\"args\":\"\",\"status\":502}",
        "what? nothing",
    };

    (void) state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        becomes(lines[i], lines[i]);
}

static void test_arguments_in_a_stack_trace_are_cut_and_the_line_still_ends_as_it_did(void **state)
{
    (void) state;
    becomes("\"PHP message: PHP Fatal error: Uncaught E in /a.php:3\nStack trace:\n#0 /a.php(7): "
            "login('bob', 's3cret')\n#1 {main}\" while reading response header from upstream, x",
            "\"PHP message: PHP Fatal error: Uncaught E in /a.php:3\n\" while reading response "
            "header from upstream, x");
    becomes("PHP Fatal error: Uncaught E\nStack trace:\n#0 login('bob')",
            "PHP Fatal error: Uncaught E\n");
}

static void test_a_small_buffer_cuts_and_never_overflows(void **state)
{
    char line[512], buffer[64];

    (void) state;
    memset(line, 'a', sizeof line);
    for (size_t n = 0; n < sizeof line; n++) {
        line[n / 2] = '?';
        const struct slice got =
            line_mask((struct slice){line, n}, URI_HIDE_VALUES, buffer, 1 + n % 64);

        assert_true(got.len_bytes < 1 + n % 64);
        line[n / 2] = 'a';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queries_are_masked_wherever_they_stand_in_a_line),
        cmocka_unit_test(test_a_line_without_a_query_stays_as_it_is),
        cmocka_unit_test(test_arguments_in_a_stack_trace_are_cut_and_the_line_still_ends_as_it_did),
        cmocka_unit_test(test_a_small_buffer_cuts_and_never_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
