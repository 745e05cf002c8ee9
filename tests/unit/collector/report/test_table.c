/* test_table.c - a pipe gets TAB-separated rows, a person gets headings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pipe_gets_one_line_a_row_and_no_headings),
        cmocka_unit_test(test_a_person_gets_headings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
