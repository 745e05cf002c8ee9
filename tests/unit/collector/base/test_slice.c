/* test_slice.c - pieces of somebody's bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static void test_trimming_takes_blanks_from_both_ends_and_none_from_within(void **state)
{
    (void) state;
    assert_true(slice_equal(slice_trim(SLICE(" \t a b\r\n")), SLICE("a b")));
    assert_true(slice_equal(slice_trim(SLICE("a")), SLICE("a")));
    assert_int_equal(slice_trim(SLICE(" \n\t ")).len_bytes, 0);
    assert_int_equal(slice_trim((struct slice){0}).len_bytes, 0);
}

static void test_what_is_skipped_of_nothing_still_has_a_pointer(void **state)
{
    (void) state;
    assert_non_null(slice_skip((struct slice){0}, 3).ptr);
    assert_int_equal(slice_skip(SLICE("ab"), 3).len_bytes, 0);
    assert_true(slice_equal(slice_skip(SLICE("abc"), 1), SLICE("bc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trimming_takes_blanks_from_both_ends_and_none_from_within),
        cmocka_unit_test(test_what_is_skipped_of_nothing_still_has_a_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
