/* test_summary_text.c - the summary on a terminal and in a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/summary_text.h"

#include "terminal_print.h"

#define NAMESPACE "Acme\\Catalog\\Model\\ResourceModel\\Product\\Indexer\\Price\\Query\\Builder\\"

/* A death with long frames and a long word in its sentence. */
static const struct summary_crash crash = {
    .time_us = 1,
    .signo = 11,
    .in_request = true,
    .has_report = true,
    .uri =
        {"/a/page/with/a/name/that/is/wider/than/any/terminal/of/eighty/columns/can/ever/be.html",
         86},
    .faulting = {"libxml2.so.2.9.14+0x167ad8", 26},
    .php_stack = {.items = {{NAMESPACE "BatchIterator::collect (BatchIterator.php:41)", 114}},
                  .count = 1},
    .native_stack = {.items = {{"near xmlSchemaValidateElemAndItsChildrenAndTheirChildrenAndSoOn_"
                                "internal_worker (libxml2.so.2.9.14)",
                                99}},
                     .count = 1},
};

/* free() it.  `columns` NULL: no terminal. */
static char *printed(const char *columns)
{
    const struct summary_result result = {
        .from_us = 1, .to_us = 2, .crashes = &crash, .crash_count = 1};
    const struct summary_text_options options = {0};
    struct terminal_print print;
    FILE *out = terminal_print_begin(&print, columns);

    summary_text_print(out, &result, NULL, &options);
    return terminal_print_end(&print, out);
}

static void test_no_line_is_wider_than_the_terminal(void **state)
{
    char *text = printed("80");

    (void) state;
    assert_fits(text, 80);
    free(text);
}

static void test_a_long_frame_keeps_its_class_its_method_and_its_library(void **state)
{
    char *text = printed("80");

    (void) state;
    assert_non_null(strstr(text, "     Acme\\"));
    assert_non_null(strstr(text, "...\\BatchIterator::collect (BatchIterator.php:41)\n"));
    assert_non_null(strstr(text, "     near xml"));
    assert_non_null(strstr(text, "internal_worker (libxml2.so.2.9.14)\n"));
    free(text);
}

static void test_a_pipe_gets_whole_frames(void **state)
{
    char *text = printed(NULL);

    (void) state;
    assert_non_null(strstr(text, NAMESPACE "BatchIterator::collect (BatchIterator.php:41)\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_line_is_wider_than_the_terminal),
        cmocka_unit_test(test_a_long_frame_keeps_its_class_its_method_and_its_library),
        cmocka_unit_test(test_a_pipe_gets_whole_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
