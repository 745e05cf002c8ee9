/* test_stack_fold.c - recursions are found, whatever their period. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/summary/stack_fold.h"

static void test_a_recursion_of_three_frames_is_found_with_its_count(void **state)
{
    const uint32_t frames[] = {1, 2, 3, 1, 2, 3, 1, 2, 3, 9};
    size_t times;

    (void) state;
    assert_int_equal(stack_fold_period(frames, 10, 0, &times), 3);
    assert_int_equal(times, 3);
}

static void test_a_direct_recursion_has_period_one(void **state)
{
    const uint32_t frames[] = {5, 5, 5, 5, 1};
    size_t times;

    (void) state;
    assert_int_equal(stack_fold_period(frames, 5, 0, &times), 1);
    assert_int_equal(times, 4);
}

static void test_frames_that_do_not_repeat_have_no_period(void **state)
{
    const uint32_t frames[] = {1, 2, 3, 1, 2, 4};
    size_t times;

    (void) state;
    assert_int_equal(stack_fold_period(frames, 6, 0, &times), 0);
    assert_int_equal(times, 1);
    assert_int_equal(stack_fold_period(frames, 6, 6, &times), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_recursion_of_three_frames_is_found_with_its_count),
        cmocka_unit_test(test_a_direct_recursion_has_period_one),
        cmocka_unit_test(test_frames_that_do_not_repeat_have_no_period),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
