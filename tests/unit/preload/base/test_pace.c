/* test_pace.c - prices follow the machine, not a constant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pace.h"

static void test_a_round_is_shared_by_its_errands(void **state)
{
    (void) state;
    assert_int_equal(pace_errand_ps_of(PACE_ERRANDS * 3), 3000);
}

static void test_a_clock_that_stands_still_or_goes_back_makes_no_price_of_nothing(void **state)
{
    (void) state;
    assert_int_equal(pace_errand_ps_of(0), 1);
    assert_int_equal(pace_errand_ps_of(-5), 1);
}

static void test_before_the_first_look_prices_are_what_they_were_there(void **state)
{
    (void) state;
    assert_int_equal(pace_here(4500), 4500);
}

static void test_after_a_look_all_prices_change_by_the_same_factor(void **state)
{
    (void) state;
    pace_look();
    assert_in_range(pace_here(4500), 1, 10000000); /* sanitizers and valgrind are far below 10 us */
    assert_in_range(pace_here(450000) / 100, pace_here(4500) - 1, pace_here(4500) + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_round_is_shared_by_its_errands),
        cmocka_unit_test(test_a_clock_that_stands_still_or_goes_back_makes_no_price_of_nothing),
        cmocka_unit_test(test_before_the_first_look_prices_are_what_they_were_there),
        cmocka_unit_test(test_after_a_look_all_prices_change_by_the_same_factor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
