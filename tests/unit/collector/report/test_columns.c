/* test_columns.c - how wide texts are, and what is left of those that are too wide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/columns.h"

static void assert_elided(const char *text, size_t columns, const char *expected)
{
    char buf[64];

    assert_string_equal(columns_elide(text, columns, buf, sizeof buf), expected);
}

static void test_a_text_that_fits_stays(void **state)
{
    (void) state;
    assert_elided("Acme_Feed", 9, "Acme_Feed");
    assert_elided("", 3, "");
}

static void test_both_ends_of_a_name_are_kept(void **state)
{
    (void) state;
    assert_elided("Acme\\Catalog\\Controller\\Product\\View", 18, "Acme\\C...duct\\View");
}

static void test_no_character_is_cut_into_bytes(void **state)
{
    (void) state;
    assert_elided("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 7,
                  "\xc3\xa4...\xc3\xa4\xc3\xa4\xc3\xa4");
    assert_elided("\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97", 7,
                  "...\xe5\xba\x97\xe5\xba\x97"); /* each is two columns wide */
}

static void test_half_a_character_at_the_end_leads_nowhere(void **state)
{
    (void) state;
    assert_elided("abcdef\xe0\0behind", 4, "...");
}

static void test_a_cut_text_keeps_its_beginning(void **state)
{
    char buf[64];

    (void) state;
    assert_string_equal(columns_cut("GET /checkout/cart/", 10, buf, sizeof buf), "GET /ch...");
    assert_string_equal(columns_cut("GET /", 10, buf, sizeof buf), "GET /");
}

static void test_a_wrapped_text_is_broken_at_blanks(void **state)
{
    char buf[64];

    (void) state;
    assert_string_equal(columns_wrap("one of the words", 7, buf, sizeof buf), "one of\nthe\nwords");
    assert_string_equal(columns_wrap("abcdefghij k", 4, buf, sizeof buf), "abcd\nefgh\nij k");
    assert_string_equal(columns_wrap("", 4, buf, sizeof buf), "");
}

static void test_COLUMNS_is_believed_before_the_terminal(void **state)
{
    FILE *nowhere = tmpfile();

    (void) state;
    assert_non_null(nowhere);
    setenv("COLUMNS", "132", 1);
    assert_int_equal(columns_of_terminal(nowhere, 80), 132);
    setenv("COLUMNS", "many", 1);
    assert_int_equal(columns_of_terminal(nowhere, 80), 80);
    unsetenv("COLUMNS");
    assert_int_equal(columns_of_terminal(nowhere, 80), 80);
    fclose(nowhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_that_fits_stays),
        cmocka_unit_test(test_both_ends_of_a_name_are_kept),
        cmocka_unit_test(test_no_character_is_cut_into_bytes),
        cmocka_unit_test(test_half_a_character_at_the_end_leads_nowhere),
        cmocka_unit_test(test_a_cut_text_keeps_its_beginning),
        cmocka_unit_test(test_a_wrapped_text_is_broken_at_blanks),
        cmocka_unit_test(test_COLUMNS_is_believed_before_the_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
