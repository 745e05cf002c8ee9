/* test_shown_rows.c - a live view shows each row once, and not before it is ripe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/gateway/shown_rows.h"

static struct gateway_row row_of_line(int file, int64_t offset_bytes)
{
    return (struct gateway_row){.time_us = 5000000,
                                .access_line_count = 1,
                                .line_count = 1,
                                .lines = {{file, offset_bytes}}};
}

static void test_a_row_is_new_once(void **state)
{
    struct shown_rows *shown = shown_rows_new();
    const struct gateway_row a = row_of_line(1, 100), b = row_of_line(1, 200),
                             c = row_of_line(2, 100);

    (void) state;
    assert_true(shown_rows_add(shown, &a));
    assert_false(shown_rows_add(shown, &a));
    assert_true(shown_rows_add(shown, &b));
    assert_true(shown_rows_add(shown, &c));
    shown_rows_free(shown);
}

static void test_a_row_that_grew_by_its_other_hop_is_the_same(void **state)
{
    struct shown_rows *shown = shown_rows_new();
    const struct gateway_row front = row_of_line(1, 100), other_front = row_of_line(1, 900);
    const struct gateway_row both = {
        .access_line_count = 2, .line_count = 3, .lines = {{1, 50}, {1, 100}, {7, 900}}};

    (void) state;
    assert_true(shown_rows_add(shown, &front));
    assert_false(shown_rows_add(shown, &both));
    assert_true(shown_rows_add(shown, &other_front));
    shown_rows_free(shown);
}

static void test_an_error_line_that_two_rows_share_makes_them_not_the_same(void **state)
{
    struct shown_rows *shown = shown_rows_new();
    const struct gateway_row a = {
        .access_line_count = 1, .line_count = 2, .lines = {{1, 50}, {7, 900}}};
    const struct gateway_row b = {
        .access_line_count = 1, .line_count = 2, .lines = {{1, 60}, {7, 900}}};

    (void) state;
    assert_true(shown_rows_add(shown, &a));
    assert_true(shown_rows_add(shown, &b));
    shown_rows_free(shown);
}

static void test_a_death_without_a_line_is_known_by_worker_and_time(void **state)
{
    struct shown_rows *shown = shown_rows_new();
    struct gateway_row death = {.time_us = 5000000, .pid_count = 1, .pids = {812}};

    (void) state;
    assert_true(shown_rows_add(shown, &death));
    assert_false(shown_rows_add(shown, &death));
    death.pids[0] = 813;
    assert_true(shown_rows_add(shown, &death));
    shown_rows_free(shown);
}

static void test_what_was_shown_long_ago_is_forgotten_and_the_newest_is_not(void **state)
{
    struct shown_rows *shown = shown_rows_new();
    struct gateway_row row = row_of_line(1, 0);

    (void) state;
    for (int64_t i = 0; i < 200000; i++) {
        row.lines[0].offset_bytes = i;
        assert_true(shown_rows_add(shown, &row));
    }
    assert_false(shown_rows_add(shown, &row));
    row.lines[0].offset_bytes = 0;
    assert_true(shown_rows_add(shown, &row));
    shown_rows_free(shown);
}

static void test_a_row_is_held_for_late_evidence_and_longer_when_it_is_undecided(void **state)
{
    struct gateway_row row = {.time_us = 5000000, .verdict = VERDICT_worker_crash};

    (void) state;
    assert_false(shown_rows_is_settled(&row, 5500000));
    assert_true(shown_rows_is_settled(&row, 5700000));
    row.time_precision_us = 1000000; /* it may have ended half a second later */
    assert_false(shown_rows_is_settled(&row, 6100000));
    assert_true(shown_rows_is_settled(&row, 6200000));
    row.verdict = VERDICT_unknown;
    assert_false(shown_rows_is_settled(&row, 8000000));
    assert_true(shown_rows_is_settled(&row, 8500000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_is_new_once),
        cmocka_unit_test(test_a_row_that_grew_by_its_other_hop_is_the_same),
        cmocka_unit_test(test_an_error_line_that_two_rows_share_makes_them_not_the_same),
        cmocka_unit_test(test_a_death_without_a_line_is_known_by_worker_and_time),
        cmocka_unit_test(test_what_was_shown_long_ago_is_forgotten_and_the_newest_is_not),
        cmocka_unit_test(test_a_row_is_held_for_late_evidence_and_longer_when_it_is_undecided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
