/* test_response.c - the status that php-fpm gives, out of its header lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "request/response.h"

static struct response feed(const char *text)
{
    struct response response = {0};

    response_feed(&response, (const uint8_t *) text, strlen(text));
    return response;
}

static void test_no_status_line_means_200(void **state)
{
    (void) state;
    assert_int_equal(feed("Content-type: text/html\r\n\r\nbody").status, 200);
    assert_int_equal(feed("\r\n").status, 200);
    assert_int_equal(feed("A: b\n\nbody").status, 200);
}

static void test_a_status_line_is_believed_wherever_it_stands(void **state)
{
    (void) state;
    assert_int_equal(feed("Status: 503 Service Unavailable\r\n\r\n").status, 503);
    assert_int_equal(feed("X-A: b\r\nstatus:404\r\n\r\n").status, 404);
    assert_int_equal(feed("Status: 500 x\r\nStatus: 502\r\n\r\n").status, 502);
}

static void test_the_body_is_not_looked_at(void **state)
{
    (void) state;
    assert_int_equal(feed("A: b\r\n\r\nStatus: 500\r\n\r\n").status, 200);
}

static void test_damaged_status_lines_count_as_none(void **state)
{
    (void) state;
    assert_int_equal(feed("Status: abc\r\n\r\n").status, 200);
    assert_int_equal(feed("Status: 5\r\n\r\n").status, 200);
    assert_int_equal(feed("Status:\r\n\r\n").status, 200);
}

static void test_there_is_no_status_before_the_lines_are_complete(void **state)
{
    struct response response = feed("Status: 404 Not Found\r\nX-A: ");

    (void) state;
    assert_int_equal(response.status, 0);
    response_feed(&response, (const uint8_t *) "b\r\n\r", 4);
    assert_int_equal(response.status, 0);
    response_feed(&response, (const uint8_t *) "\n", 1);
    assert_int_equal(response.status, 404);
}

static void test_lines_may_be_cut_at_any_byte(void **state)
{
    static const char text[] = "X-Long: 0123456789012345678901234567890\r\nStatus: 418 T\r\n\r\n";

    (void) state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct response response = {0};

        response_feed(&response, (const uint8_t *) text, cut);
        response_feed(&response, (const uint8_t *) text + cut, sizeof text - 1 - cut);
        assert_int_equal(response.status, 418);
    }
}

static void test_only_php_fpms_own_pages_are_builtin(void **state)
{
    (void) state;
    assert_true(feed("X-Powered-By: PHP/8.2\r\nExpires: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                     "Cache-Control: no-cache, no-store, must-revalidate, max-age=0\r\n"
                     "Content-type: text/plain\r\n\r\npong")
                    .builtin);
    assert_false(feed("Expires: Thu, 19 Nov 1981 08:52:00 GMT\r\n"
                      "Cache-Control: no-store, no-cache, must-revalidate\r\n\r\n")
                     .builtin);
}

static void test_a_builtin_page_is_known_however_it_was_cut(void **state)
{
    static const char text[] =
        "X-Powered-By: PHP/8.2\r\nExpires: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        "Cache-Control: no-cache, no-store, must-revalidate, max-age=0\r\n\r\n";

    (void) state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct response response = {0};

        response_feed(&response, (const uint8_t *) text, cut);
        response_feed(&response, (const uint8_t *) text + cut, sizeof text - 1 - cut);
        assert_true(response.builtin);
    }
}

static void test_the_two_lines_of_a_builtin_page_stand_together(void **state)
{
    (void) state;
    assert_false(feed("Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-A: b\r\n"
                      "Cache-Control: no-cache, no-store, must-revalidate, max-age=0\r\n\r\n")
                     .builtin);
    assert_false(feed("A: b\r\n\r\nExpires: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                      "Cache-Control: no-cache, no-store, must-revalidate, max-age=0\r\n\r\n")
                     .builtin);
}

static void test_endless_header_lines_are_given_up(void **state)
{
    struct response response = {0};

    (void) state;
    for (int i = 0; i < 3000; i++)
        response_feed(&response, (const uint8_t *) "X: 0123456789012345678901234567\r\n", 33);
    assert_true(response.head_done);
    assert_int_equal(response.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_status_line_means_200),
        cmocka_unit_test(test_a_status_line_is_believed_wherever_it_stands),
        cmocka_unit_test(test_the_body_is_not_looked_at),
        cmocka_unit_test(test_damaged_status_lines_count_as_none),
        cmocka_unit_test(test_there_is_no_status_before_the_lines_are_complete),
        cmocka_unit_test(test_lines_may_be_cut_at_any_byte),
        cmocka_unit_test(test_only_php_fpms_own_pages_are_builtin),
        cmocka_unit_test(test_a_builtin_page_is_known_however_it_was_cut),
        cmocka_unit_test(test_the_two_lines_of_a_builtin_page_stand_together),
        cmocka_unit_test(test_endless_header_lines_are_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
