/* test_process.c - start times out of /proc, our entry out of LD_PRELOAD, limits of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/process.h"

static uint64_t ticks_of(const char *stat)
{
    return process_parse_start_ticks(stat, strlen(stat));
}

static void test_the_start_time_is_found_behind_any_name(void **state)
{
    (void) state;
    assert_int_equal(
        ticks_of("7 (php-fpm) S 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 1"), 4711);
    assert_int_equal(ticks_of("7 (a) b (c 1) R 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 12 99"),
                     12);
}

static void test_a_damaged_stat_has_no_start_time(void **state)
{
    (void) state;
    assert_int_equal(ticks_of(""), 0);
    assert_int_equal(ticks_of("7 (php-fpm) S 1 7"), 0);
    assert_int_equal(ticks_of("7 php-fpm S"), 0);
}

static void test_our_own_start_time_is_there(void **state)
{
    (void) state;
    assert_true(process_start_ticks() > 0);
}

static void assert_without(const char *list, const char *expected)
{
    char rest[256];

    assert_true(process_without_library(list, "libfpmscope", rest));
    assert_string_equal(rest, expected);
}

static void test_only_our_entry_leaves_the_list(void **state)
{
    char rest[64];

    (void) state;
    assert_without("/usr/lib/libfpmscope.so", "");
    assert_without("libfpmscope-jemalloc.so:/a/libz.so", "/a/libz.so");
    assert_without("/a/b.so /x/libfpmscope.so:c.so", "/a/b.so:c.so");
    assert_without("libfpmscope.so::/libfpmscope.so", "");
    assert_false(process_without_library("/libfpmscope/other.so", "libfpmscope", rest));
    assert_false(process_without_library("", "libfpmscope", rest));
}

static void test_memory_is_limited_by_either_of_two_limits(void **state)
{
    static const int resources[] = {RLIMIT_AS, RLIMIT_DATA};

    (void) state;
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
        struct rlimit before, limited;

        assert_int_equal(getrlimit(resources[i], &before), 0);
        if (before.rlim_cur != RLIM_INFINITY)
            skip();
        assert_false(process_memory_is_limited());
        limited = (struct rlimit){.rlim_cur = (rlim_t) 1 << 46, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(resources[i], &limited), 0);
        assert_true(process_memory_is_limited());
        assert_int_equal(setrlimit(resources[i], &before), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_start_time_is_found_behind_any_name),
        cmocka_unit_test(test_a_damaged_stat_has_no_start_time),
        cmocka_unit_test(test_our_own_start_time_is_there),
        cmocka_unit_test(test_only_our_entry_leaves_the_list),
        cmocka_unit_test(test_memory_is_limited_by_either_of_two_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
