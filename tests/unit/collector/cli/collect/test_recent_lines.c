/* test_recent_lines.c - lines wait, bounded, until a failure asks for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/collect/recent_lines.h"

static void note(void *ctx, const struct store_log_line *line)
{
    char *text = ctx;

    strncat(text, line->line.ptr, line->line.len_bytes);
    strcat(text, " ");
}

static void add(struct recent_lines *lines, int64_t time_us, const char *text)
{
    recent_lines_add(lines, &(struct store_log_line){.time_us = time_us, .line = slice_of(text)});
}

static void test_a_failure_takes_the_lines_around_it_in_their_order_and_once(void **state)
{
    struct recent_lines *lines;
    char taken[64] = "";

    (void) state;
    assert_int_equal(recent_lines_new(4096, &lines), 0);
    add(lines, 10, "a");
    add(lines, 30, "c");
    add(lines, 20, "b"); /* of another log, read later */
    add(lines, 50, "e");
    recent_lines_take(lines, 15, 40, note, taken);
    assert_string_equal(taken, "c b ");
    recent_lines_take(lines, 0, 100, note, taken);
    assert_string_equal(taken, "c b a e ");
    add(lines, 60, "f");
    recent_lines_take(lines, 0, 100, note, taken);
    assert_string_equal(taken, "c b a e f ");
    recent_lines_free(lines);
}

static void test_the_oldest_lines_go_at_the_ceiling_and_with_age(void **state)
{
    struct recent_lines *lines;
    char taken[8192] = "", text[16];

    (void) state;
    assert_int_equal(recent_lines_new(1000, &lines), 0);
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof text, "%d", i);
        add(lines, i, text);
    }
    add(lines, 501,
        "and one that alone is far too long for all the room that there is ......."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        "........................................................................."
        ".........................................................................");
    recent_lines_expire(lines, 498);
    recent_lines_take(lines, 0, 1000, note, taken);
    assert_string_equal(taken, "498 499 ");
    recent_lines_free(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failure_takes_the_lines_around_it_in_their_order_and_once),
        cmocka_unit_test(test_the_oldest_lines_go_at_the_ceiling_and_with_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
