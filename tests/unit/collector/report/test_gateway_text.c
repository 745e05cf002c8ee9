/* test_gateway_text.c - the head of `502` keeps to the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/gateway_text.h"

#include "terminal_print.h"

static const char note[] = "more was seen than is kept at once, so that some of the older rows "
                           "may have been told without all of their evidence";

/* free() it.  `columns` NULL: no terminal. */
static char *printed(const char *columns)
{
    static const struct gateway_clock clock = {.file = 0, .shift_us = 3000000, .samples = 12};
    static const char *const files[] = {"/var/log/nginx/a-shop-with-a-name/access.log"};
    const struct slice notes[] = {slice_of(note)};
    const struct gateway_report report = {
        .clocks = &clock, .clock_count = 1, .notes = notes, .note_count = 1};
    struct terminal_print print;
    FILE *out = terminal_print_begin(&print, columns);

    gateway_text_summary(&report, &(struct gateway_selection){.listed = 0}, files, out);
    return terminal_print_end(&print, out);
}

static void test_clocks_and_notes_fit_the_terminal(void **state)
{
    char *text = printed("80");

    (void) state;
    assert_fits(text, 80);
    free(text);
}

static void test_a_note_is_one_line_in_a_pipe(void **state)
{
    char *text = printed(NULL);

    (void) state;
    assert_non_null(strstr(text, note));
    assert_non_null(strstr(text, "/access.log is off by -3.0 s (12 entries agree): not sure, not "
                                 "corrected; causes may be missed because of it\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks_and_notes_fit_the_terminal),
        cmocka_unit_test(test_a_note_is_one_line_in_a_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
