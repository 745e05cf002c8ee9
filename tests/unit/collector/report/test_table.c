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

static char *laid_out(const char *columns_wish, const char *const names[3])
{
    static const struct table_column three[] = {
        {"NAME", TABLE_ELIDE}, {"N", TABLE_RIGHT}, {"SPARE", TABLE_SPARE(1)}};
    struct table *table = table_new(three, 3);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    const struct slice row[] = {slice_of(names[0]), slice_of(names[1]), slice_of(names[2])};

    setenv("COLUMNS", columns_wish, 1);
    assert_int_equal(table_add(table, row), 0);
    assert_int_equal(table_print(table, out, true), 0);
    unsetenv("COLUMNS");
    fclose(out);
    table_free(table);
    return text;
}

static void test_names_lose_their_middle_before_a_column_is_left_out(void **state)
{
    const char *const names[] = {"Acme_Catalog_Controller_Product_Attribute_View", "12", "spare"};
    char *text = laid_out("44", names);

    (void) state;
    assert_string_equal(text, "NAME                                 N SPARE\n"
                              "Acme_Catalog...oduct_Attribute_View 12 spare\n");
    free(text);
}

static void test_a_spare_column_that_finds_no_room_is_named_below(void **state)
{
    const char *const names[] = {"Acme_Catalog_Controller", "12", "a_text_that_is_not_shortened"};
    char *text = laid_out("44", names);

    (void) state;
    assert_null(strstr(text, "a_text"));
    assert_non_null(strstr(text, "Acme_Catalog_Controller 12\n"));
    assert_non_null(strstr(text, "not shown for want of room: SPARE"));
    free(text);
}

static void test_a_spare_column_without_texts_goes_silently(void **state)
{
    const char *const names[] = {"Acme_Catalog_Controller_Product_Attribute", "12", ""};
    char *text = laid_out("45", names);

    (void) state;
    assert_non_null(strstr(text, "Acme_Catalog_Controller_Product_Attribute 12\n"));
    assert_null(strstr(text, "SPARE"));
    free(text);
}

static void test_a_sentence_in_a_cell_is_broken_at_blanks(void **state)
{
    static const struct table_column two[] = {{"NAME", 0}, {"WHY", TABLE_WRAP}};
    struct table *table = table_new(two, 2);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void) state;
    assert_int_equal(
        table_add(table, (struct slice[]){SLICE("a"), SLICE("this sentence is longer "
                                                            "than forty columns are")}),
        0);
    setenv("COLUMNS", "40", 1);
    assert_int_equal(table_print(table, out, true), 0);
    unsetenv("COLUMNS");
    fclose(out);
    table_free(table);
    assert_non_null(strstr(text, "\na    this sentence is longer than forty"));
    assert_non_null(strstr(text, "\n     columns are"));
    free(text);
}

static void test_letters_beyond_ascii_are_letters(void **state)
{
    const char *const names[] = {"/s\xc3\xbc\xc3\x9f/", "1", ""};
    char *text = laid_out("80", names);

    (void) state;
    assert_non_null(strstr(text, "/s\xc3\xbc\xc3\x9f/ 1"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pipe_gets_one_line_a_row_and_no_headings),
        cmocka_unit_test(test_a_person_gets_headings),
        cmocka_unit_test(test_a_cell_that_a_spreadsheet_would_compute_becomes_text),
        cmocka_unit_test(test_numbers_and_what_is_empty_stay_as_they_are),
        cmocka_unit_test(test_names_lose_their_middle_before_a_column_is_left_out),
        cmocka_unit_test(test_a_spare_column_that_finds_no_room_is_named_below),
        cmocka_unit_test(test_a_spare_column_without_texts_goes_silently),
        cmocka_unit_test(test_a_sentence_in_a_cell_is_broken_at_blanks),
        cmocka_unit_test(test_letters_beyond_ascii_are_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
