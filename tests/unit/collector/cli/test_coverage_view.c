/* test_coverage_view.c - what could not be seen, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli/coverage_view.h"

static void test_a_counter_that_people_meet_is_said_in_words(void **state)
{
    (void) state;
    assert_non_null(strstr(coverage_words("missed_requests"), "never came"));
    assert_null(coverage_words("damaged_packets"));
    assert_null(coverage_words(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_counter_that_people_meet_is_said_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
