/* Which PHP releases may have handlers in their heap, by the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/resource.h>

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

static void test_a_process_with_limited_memory_has_no_room(void **state)
{
    static const int resources[] = {RLIMIT_AS, RLIMIT_DATA};

    (void) state;
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
        struct rlimit before, limited;

        assert_int_equal(getrlimit(resources[i], &before), 0);
        if (before.rlim_cur != RLIM_INFINITY)
            skip();
        assert_true(arming_policy_has_room());
        limited = (struct rlimit){.rlim_cur = (rlim_t) 1 << 46, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(resources[i], &limited), 0);
        assert_false(arming_policy_has_room());
        assert_int_equal(setrlimit(resources[i], &before), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_windows_of_the_jit_have_both_their_edges),
        cmocka_unit_test(test_distributions_add_words_behind_the_release),
        cmocka_unit_test(test_what_no_suite_has_seen_is_never_armed),
        cmocka_unit_test(test_a_process_with_limited_memory_has_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
