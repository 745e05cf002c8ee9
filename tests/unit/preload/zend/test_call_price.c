/* test_call_price.c - a call's price follows the machine, not a constant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "zend/call_price.h"

static struct picture picture;

static void
test_where_a_look_takes_nine_tenths_of_a_nanosecond_a_call_takes_four_and_a_half(void **state)
{
    (void) state;
    assert_int_equal(call_price_ps_of(CALL_PRICE_LOOKS * 9), 45000);
}

static void test_a_machine_that_is_thirty_times_slower_pays_thirty_times_more(void **state)
{
    (void) state;
    assert_int_equal(call_price_ps_of(CALL_PRICE_LOOKS * 27), 135000);
}

static void test_a_clock_that_stands_still_or_goes_back_makes_no_price_of_nothing(void **state)
{
    (void) state;
    assert_int_equal(call_price_ps_of(0), 1);
    assert_int_equal(call_price_ps_of(-5), 1);
    assert_int_equal(call_price_ps_of(1), 1);
}

static void test_measuring_leaves_the_picture_empty_and_finds_something(void **state)
{
    static const struct picture empty;
    uint64_t price_ps = call_price_ps(&picture);

    (void) state;
    assert_in_range(price_ps, 1, 10000000); /* 10 us: sanitizers and valgrind are far below */
    assert_memory_equal(&picture, &empty, sizeof empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_where_a_look_takes_nine_tenths_of_a_nanosecond_a_call_takes_four_and_a_half),
        cmocka_unit_test(test_a_machine_that_is_thirty_times_slower_pays_thirty_times_more),
        cmocka_unit_test(test_a_clock_that_stands_still_or_goes_back_makes_no_price_of_nothing),
        cmocka_unit_test(test_measuring_leaves_the_picture_empty_and_finds_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
