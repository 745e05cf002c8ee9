/* test_gateway_left_out.c - what `502` does not list is counted by kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "report/gateway_left_out.h"

/* free() it. */
static char *said(const struct gateway_row *rows, size_t count)
{
    const struct gateway_row *list[8];
    size_t size_bytes = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size_bytes);

    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        list[i] = &rows[i];
    gateway_left_out_say(&(struct gateway_selection){.rows = list, .left_out = count}, out);
    fclose(out);
    return text;
}

static void test_failures_that_are_not_listed_are_counted_by_kind(void **state)
{
    static const struct gateway_row rows[] = {
        {.client_status = 500, .verdict = VERDICT_php_memory_limit},
        {.client_status = 200, .verdict = VERDICT_worker_killed, .pid_count = 1},
        {.client_status = 500, .verdict = VERDICT_php_fatal},
        {.client_status = 503, .verdict = VERDICT_php_fatal},
        {.client_status = 499, .verdict = VERDICT_unknown},
    };
    char *text = said(rows, sizeof rows / sizeof *rows);

    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_false(gateway_row_is_listed(&rows[i]));
    assert_string_equal(text,
                        "      5  further failed requests of other kinds (2 answered 500, 1 ended "
                        "by an error of PHP, 1 given up by the client (499), 1 logged as answered "
                        "although the worker died or the answer was cut): --all shows them\n");
    free(text);
}

static void test_one_is_one(void **state)
{
    static const struct gateway_row row = {.client_status = 500};
    char *text = said(&row, 1);

    (void) state;
    assert_string_equal(text, "      1  further failed request of other kinds (1 answered 500): "
                              "--all shows it\n");
    free(text);
}

static void test_nothing_is_said_when_nothing_is_left_out(void **state)
{
    char *text = said(NULL, 0);

    (void) state;
    assert_string_equal(text, "");
    free(text);
}

static void test_a_failure_of_the_gateway_is_listed(void **state)
{
    static const struct gateway_row crash = {.client_status = 502, .verdict = VERDICT_worker_crash};

    (void) state;
    assert_true(gateway_row_is_listed(&crash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures_that_are_not_listed_are_counted_by_kind),
        cmocka_unit_test(test_one_is_one),
        cmocka_unit_test(test_nothing_is_said_when_nothing_is_left_out),
        cmocka_unit_test(test_a_failure_of_the_gateway_is_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
