/* test_growth.c - which mappings are the Zend heap's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc/growth.h"

enum { MIB = 1 << 20, CHUNK = GROWTH_CHUNK_BYTES, PAGE = GROWTH_PAGE_BYTES };

static const void *const aligned = (const void *) 0x7f0000200000;
static const void *const crooked = (const void *) 0x7f0000203000;

static void test_an_aligned_chunk_counts_at_once(void **state)
{
    struct growth_probe probe = {0};

    (void) state;
    assert_int_equal(growth_of_mapping(&probe, aligned, CHUNK), CHUNK);
}

static void test_a_crooked_answer_counts_when_php_asks_again(void **state)
{
    struct growth_probe probe = {0};
    const size_t huge = 9 * MIB + PAGE; /* huge blocks are whole pages, not whole chunks */

    (void) state;
    assert_int_equal(growth_of_mapping(&probe, crooked, huge), 0);
    assert_int_equal(growth_of_mapping(&probe, crooked, huge + CHUNK - PAGE), huge);
    assert_int_equal(growth_of_mapping(&probe, crooked, CHUNK), 0);
    assert_int_equal(growth_of_mapping(&probe, crooked, CHUNK + CHUNK - PAGE), CHUNK);
}

static void test_the_second_answer_is_not_counted_as_its_own_size_when_aligned(void **state)
{
    struct growth_probe probe = {0};

    (void) state;
    growth_of_mapping(&probe, crooked, CHUNK);
    assert_int_equal(growth_of_mapping(&probe, aligned, CHUNK + CHUNK - PAGE), CHUNK);
}

static void test_crooked_mappings_of_others_do_not_count(void **state)
{
    struct growth_probe probe = {0};

    (void) state;
    assert_int_equal(growth_of_mapping(&probe, crooked, 10 * MIB), 0);
    assert_int_equal(growth_of_mapping(&probe, crooked, 20 * MIB), 0);
    assert_int_equal(growth_of_mapping(&probe, crooked, 8 * MIB + 7), 0);
}

static void test_small_mappings_do_not_count(void **state)
{
    struct growth_probe probe = {0};

    (void) state;
    assert_int_equal(growth_of_mapping(&probe, aligned, CHUNK - 1), 0);
    assert_int_equal(growth_of_mapping(&probe, aligned, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_aligned_chunk_counts_at_once),
        cmocka_unit_test(test_a_crooked_answer_counts_when_php_asks_again),
        cmocka_unit_test(test_the_second_answer_is_not_counted_as_its_own_size_when_aligned),
        cmocka_unit_test(test_crooked_mappings_of_others_do_not_count),
        cmocka_unit_test(test_small_mappings_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
