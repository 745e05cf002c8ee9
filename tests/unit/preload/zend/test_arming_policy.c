/* Which PHP releases may have handlers in their heap, by the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zend/arming_policy.h"

static void test_the_windows_of_the_jit_have_both_their_edges(void **state)
{
    (void) state;
    assert_int_equal(arming_policy_of("8.2.7"), ARMING_WITHOUT_JIT);
    assert_int_equal(arming_policy_of("8.2.8"), ARMING_ALWAYS);
    assert_int_equal(arming_policy_of("8.4.6"), ARMING_WITHOUT_JIT);
    assert_int_equal(arming_policy_of("8.4.7"), ARMING_ALWAYS);
    assert_int_equal(arming_policy_of("8.1.20"), ARMING_WITHOUT_JIT);
    assert_int_equal(arming_policy_of("8.0.30"), ARMING_WITHOUT_JIT);
}

static void test_distributions_add_words_behind_the_release(void **state)
{
    (void) state;
    assert_int_equal(arming_policy_of("7.4.33"), ARMING_ALWAYS);
    assert_int_equal(arming_policy_of("8.2.36-1+deb12u1"), ARMING_ALWAYS);
    assert_int_equal(arming_policy_of("8.4.0-dev"), ARMING_WITHOUT_JIT);
}

static void test_what_no_suite_has_seen_is_never_armed(void **state)
{
    static const char *const others[] = {
        "7.0.33", "7.3.33", "8.5.0", "9.0.1", "8.20.1",          "8",       "8.2",
        "8.2.",   "8.2.x",  "",      "x",     "8.2.99999999999", "18.2.10", "8.2 36"};

    (void) state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(arming_policy_of(others[i]), ARMING_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_windows_of_the_jit_have_both_their_edges),
        cmocka_unit_test(test_distributions_add_words_behind_the_release),
        cmocka_unit_test(test_what_no_suite_has_seen_is_never_armed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
