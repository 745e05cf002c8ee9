/* test_cpu_clock.c - CPU time is what php-fpm was told, in steps whose sum is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cpu_clock.h"

enum { MS = 1000 * 1000 };

static void hear_ms(uint64_t user_ms, uint64_t system_ms)
{
    const struct tms answer = {.tms_utime = (clock_t) user_ms / 10,
                               .tms_stime = (clock_t) system_ms / 10,
                               .tms_cutime = 77}; /* of children: not this process's */

    cpu_clock_heard(&answer);
}

/* Comes first: afterwards somebody has asked. */
static void test_where_nobody_asks_the_kernel_is_asked_in_one_turn_of_many(void **state)
{
    unsigned looks = 0;

    (void) state;
    for (uint64_t turn = 1; turn <= 10 * CPU_CLOCK_TURNS; turn++)
        looks += cpu_clock_look_ns(turn) > 0;
    assert_int_equal(looks, 10);
}

static void test_small_steps_are_saved_up_until_a_tick_is_a_small_part_of_them(void **state)
{
    (void) state;
    hear_ms(0, 0);
    assert_int_equal(cpu_clock_look_ns(CPU_CLOCK_TURNS), 0);
    hear_ms(30, 10);
    assert_int_equal(cpu_clock_look_ns(1), 0);
    hear_ms(30, 20);
    assert_int_equal(cpu_clock_look_ns(2), 50 * MS);
    assert_int_equal(cpu_clock_look_ns(3), 0);
    hear_ms(60, 30);
    assert_int_equal(cpu_clock_look_ns(4), 0);
    hear_ms(70, 40);
    assert_int_equal(cpu_clock_look_ns(5), 110 * MS); /* since the process began: nothing is lost */
}

static void test_a_forked_process_begins_at_nothing(void **state)
{
    (void) state;
    hear_ms(10, 0);
    assert_int_equal(cpu_clock_look_ns(1), 0);
    hear_ms(60, 0);
    assert_int_equal(cpu_clock_look_ns(2), 60 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_nobody_asks_the_kernel_is_asked_in_one_turn_of_many),
        cmocka_unit_test(test_small_steps_are_saved_up_until_a_tick_is_a_small_part_of_them),
        cmocka_unit_test(test_a_forked_process_begins_at_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
