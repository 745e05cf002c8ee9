/* test_help_topics.c - pages of the manual fit a terminal, and their rows are lines elsewhere. */
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/help_topics.h"

#include "../report/terminal_print.h"

/* What a topic prints on a terminal of `columns` columns, or elsewhere (NULL). */
static char *print(const struct help_topic *topic, const char *columns)
{
    struct terminal_print print;
    FILE *out = terminal_print_begin(&print, columns);

    topic->print(out);
    return terminal_print_end(&print, out);
}

static void test_every_topic_fits_a_terminal_of_eighty_columns(void **state)
{
    (void) state;
    for (const struct help_topic *topic = help_topics; topic->name; topic++) {
        char *text = print(topic, "80");

        assert_fits(text, 80);
        free(text);
    }
}

static void test_a_long_meaning_goes_on_under_its_beginning(void **state)
{
    char *text = print(help_topic_find("events"), "80");

    (void) state;
    assert_non_null(strstr(text, "\n  smp      a sampled block still live"));
    assert_non_null(strstr(text, "\n           "));
    assert_non_null(strstr(text, "\n  nat            LIST     native frames, leaf first\n"));
    assert_non_null(strstr(text, "\n                          "));
    free(text);
}

static void test_elsewhere_a_row_is_one_line_to_search_in(void **state)
{
    char *text = print(help_topic_find("events"), NULL);

    (void) state;
    assert_non_null(
        strstr(text, "in exact mode (interval 1) all that one stack left, as one block\n"));
    assert_null(strstr(text, "\n           "));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_topic_fits_a_terminal_of_eighty_columns),
        cmocka_unit_test(test_a_long_meaning_goes_on_under_its_beginning),
        cmocka_unit_test(test_elsewhere_a_row_is_one_line_to_search_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
