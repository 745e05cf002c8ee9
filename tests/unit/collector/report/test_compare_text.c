/* test_compare_text.c - two periods side by side, on a terminal and in a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/compare_text.h"

#include "terminal_print.h"

static const struct summary_route leak = {
    .route = {"/a", 2}, .verdict = {"leak", 4}, .bytes_per_request = 65536};
static const struct compare_row row = {
    .change = COMPARE_new_leak,
    .route = {"/catalog/category/view/with/a/long/path/that/goes/on.html", 57},
    .module = {"Acme_CatalogUrlRewriteGenerator", 31},
    .after = &leak,
};

/* free() it.  `columns` NULL: no terminal; `mark` NULL: two free periods. */
static char *printed(const char *columns, const char *mark)
{
    static const struct gateway_report before = {.count_by_verdict = {[VERDICT_worker_crash] = 1}},
                                       after = {.row_count = 0};
    static const struct summary_result period = {
        .from_us = 1000000, .to_us = 2000000, .requests = 1234567};
    const struct comparison comparison = {.mark = mark,
                                          .at_us = 1500000,
                                          .before = &period,
                                          .after = &period,
                                          .gateway_before = &before,
                                          .gateway_after = &after,
                                          .rows = &row,
                                          .row_count = 1};
    struct terminal_print print;
    FILE *out = terminal_print_begin(&print, columns);

    compare_text_print(out, &comparison);
    return terminal_print_end(&print, out);
}

static void test_a_comparison_fits_the_terminal(void **state)
{
    char *periods = printed("80", NULL);
    char *mark = printed("80", "a release with a name that says all that has been changed in it");

    (void) state;
    assert_fits(periods, 80);
    assert_fits(mark, 80);
    free(periods);
    free(mark);
}

static void test_a_pipe_gets_a_line_for_each_change(void **state)
{
    char *text = printed(NULL, "release 2");

    (void) state;
    assert_string_equal(
        text, "\nSince the mark 'release 2' (1970-01-01 00:00:01 UTC): 1234567 requests before, "
              "1234567 since\n"
              "  /catalog/category/view/with/a/long/path/that/goes/on.html leaks now, and did not "
              "before: kept 0 B a request, now 64.0 KiB (Acme_CatalogUrlRewriteGenerator).\n"
              "  failed requests, worker_crash: 1 before, 0 since.\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_comparison_fits_the_terminal),
        cmocka_unit_test(test_a_pipe_gets_a_line_for_each_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
