/* test_table.c - a pipe gets TAB-separated rows, a person gets headings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/table.h"

static const struct table_column columns[] = {{"ROUTE", TABLE_TRUNC}, {"HITS", TABLE_RIGHT}};

static char *printed(bool for_people)
{
    struct table *table = table_new(columns, 2);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_int_equal(table_add(table, (struct slice[]){SLICE("/a\tb"), SLICE("12")}), 0);
    assert_int_equal(table_add(table, (struct slice[]){SLICE("/"), SLICE("3")}), 0);
    assert_int_equal(table_rows(table), 2);
    assert_int_equal(table_print(table, out, for_people), 0);
    fclose(out);
    table_free(table);
    return text;
}

static void test_a_pipe_gets_one_line_a_row_and_no_headings(void **state)
{
    char *text = printed(false);

    (void) state;
    assert_string_equal(text, "/a\\x09b\t12\n/\t3\n");
    free(text);
}

static void test_a_person_gets_headings(void **state)
{
    char *text = printed(true);

    (void) state;
    assert_non_null(strstr(text, "ROUTE"));
    assert_non_null(strstr(text, "HITS"));
    free(text);
}

static char *piped(struct slice cell)
{
    struct table *table = table_new(columns, 1);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_int_equal(table_add(table, &cell), 0);
    assert_int_equal(table_print(table, out, false), 0);
    fclose(out);
    table_free(table);
    return text;
}

static void assert_piped(const char *cell, const char *expected)
{
    char *text = piped(slice_of(cell));

    assert_string_equal(text, expected);
    free(text);
}

/* Piped tables are opened in spreadsheets, and a URI is whatever a visitor writes. */
static void test_a_cell_that_a_spreadsheet_would_compute_becomes_text(void **state)
{
    (void) state;
    assert_piped("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0\n");
    assert_piped("+1+cmd|'x'!A0", "'+1+cmd|'x'!A0\n");
    assert_piped("-2+3+cmd|'x'!A0", "'-2+3+cmd|'x'!A0\n");
    assert_piped("@SUM(A1)", "'@SUM(A1)\n");
}

static void test_numbers_and_what_is_empty_stay_as_they_are(void **state)
{
    (void) state;
    assert_piped("-12", "-12\n");
    assert_piped("-12.5 KiB", "-12.5 KiB\n");
    assert_piped("+3.0 %", "+3.0 %\n");
    assert_piped("-", "-\n");
    assert_piped("/a=b", "/a=b\n");
    assert_piped("", "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pipe_gets_one_line_a_row_and_no_headings),
        cmocka_unit_test(test_a_person_gets_headings),
        cmocka_unit_test(test_a_cell_that_a_spreadsheet_would_compute_becomes_text),
        cmocka_unit_test(test_numbers_and_what_is_empty_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
