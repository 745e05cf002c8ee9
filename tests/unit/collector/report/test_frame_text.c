/* test_frame_text.c - what is left of a stack frame that is wider than the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/columns.h"
#include "report/frame_text.h"

static void assert_fitted(const char *text, size_t columns, const char *expected)
{
    char buf[FRAME_TEXT_BYTES];

    assert_string_equal(frame_text_fit(text, columns, buf), expected);
    assert_true(columns_of_text(buf) <= columns);
}

static void test_a_frame_that_fits_stays(void **state)
{
    (void) state;
    assert_fitted("Acme\\Feed::open (Feed.php:41)", 29, "Acme\\Feed::open (Feed.php:41)");
    assert_fitted("main", 75, "main");
}

static void test_the_namespace_is_what_a_php_frame_loses(void **state)
{
    (void) state;
    assert_fitted(
        "Acme\\Catalog\\Model\\ResourceModel\\Product\\Collection::load (Collection.php:9)", 50,
        "Acme\\Catalo...\\Collection::load (Collection.php:9)");
}

static void test_the_library_of_a_native_frame_stays(void **state)
{
    (void) state;
    assert_fitted("std::__detail::_Executor<char const*>::_M_dfs(long, long) (libstdc++.so.6)", 44,
                  "std::__de...dfs(long, long) (libstdc++.so.6)");
}

static void test_a_place_that_fills_the_line_is_shortened_too(void **state)
{
    (void) state;
    assert_fitted(
        "Acme\\Feed\\Writer::open (a_file_with_a_very_long_name_for_a_template.phtml:120)", 40,
        "...\\Writer::open (a_file...te.phtml:120)");
}

static void test_any_text_fits_any_width(void **state)
{
    static const char *const texts[] = {" ()",
                                        " (",
                                        ")",
                                        "\\",
                                        "a\\ (",
                                        "\\\\\\\\\\\\ (((((((((((((((((((((((()",
                                        "\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\\\xe5\xba"
                                        "\x97::\xe5\xba\x97 (\xe5\xba\x97:1)",
                                        "x\xe5",
                                        "A\\B\xe5 (c\xe5)"};
    char buf[FRAME_TEXT_BYTES], large[4096];

    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t columns = 3; columns < 60; columns++)
            assert_true(columns_of_text(frame_text_fit(texts[i], columns, buf)) <= columns);
    memset(large, '\\', sizeof large);
    memcpy(large + sizeof large - 4, " ()", 4);
    for (size_t columns = 3; columns < 6000; columns++)
        assert_true(columns_of_text(frame_text_fit(large, columns, buf)) <= columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_frame_that_fits_stays),
        cmocka_unit_test(test_the_namespace_is_what_a_php_frame_loses),
        cmocka_unit_test(test_the_library_of_a_native_frame_stays),
        cmocka_unit_test(test_a_place_that_fills_the_line_is_shortened_too),
        cmocka_unit_test(test_any_text_fits_any_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
