/* test_memory_holders.c - the largest holders of memory are found whatever the order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "model/memory_holders.h"

static void test_processes_of_one_name_are_one_holder_and_the_largest_is_first(void **state)
{
    struct memory_holders holders = {0};
    char text[512];

    (void) state;
    memory_holders_add(&holders, SLICE("redis"), 1, 100 * 1024);
    memory_holders_add(&holders, SLICE("php-fpm8.2"), 1, 300 * 1024);
    memory_holders_add(&holders, SLICE("mysqld"), 1, 1229 * 1024);
    memory_holders_add(&holders, SLICE("php-fpm8.2"), 1, 400 * 1024);
    memory_holders_sort(&holders);
    memory_holders_text(&holders, 2, text, sizeof text);
    assert_string_equal(text, "mysqld 1.2 GiB, php-fpm8.2 x2 700 MiB, others 100 MiB");
}

static void test_a_large_holder_that_comes_last_finds_room_and_nothing_is_lost(void **state)
{
    struct memory_holders holders = {0};
    int64_t sum_kib = 0;
    char name[16];

    (void) state;
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "task%d", i);
        memory_holders_add(&holders, slice_of(name), 1, 1000 + i * 10);
    }
    memory_holders_add(&holders, SLICE("hog"), 1, 5000000);
    memory_holders_sort(&holders);
    assert_string_equal(holders.items[0].name, "hog");
    for (size_t i = 0; i < holders.count; i++)
        sum_kib += holders.items[i].rss_kib;
    assert_int_equal(sum_kib + holders.others_kib, 40 * 1000 + 10 * 780 + 5000000);
}

static void test_hostile_names_and_sizes_do_no_harm(void **state)
{
    struct memory_holders holders = {0};
    char text[64];

    (void) state;
    memory_holders_add(&holders, SLICE("\x1b[2J\n"), 1, 4096);
    memory_holders_add(&holders, SLICE("x"), 1, -5);
    memory_holders_add(&holders, SLICE("x"), 1, INT64_MAX);
    memory_holders_add(&holders, SLICE(""), 1, 4096);
    assert_int_equal(holders.count, 1);
    assert_string_equal(holders.items[0].name, "?[2J?");
    assert_int_equal(memory_holders_text(&holders, 4, text, sizeof text), 0); /* no room: nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes_of_one_name_are_one_holder_and_the_largest_is_first),
        cmocka_unit_test(test_a_large_holder_that_comes_last_finds_room_and_nothing_is_lost),
        cmocka_unit_test(test_hostile_names_and_sizes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
