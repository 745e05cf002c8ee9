/* test_filter.c - `--filter` in pnl's manner. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "cli/filter.h"

/* A row with status 502, two pids and a user agent. */
static struct slice value(void *ctx, struct slice field)
{
    (void) ctx;
    if (slice_equal(field, SLICE("status")))
        return SLICE("502");
    if (slice_equal(field, SLICE("pid")))
        return SLICE("41, 42, 43");
    return SLICE("Mozilla/5.0 (compatible; bingbot/2.0)");
}

static bool holds(const char *first, const char *second)
{
    struct filter_set *set = filter_set_new();
    char message[FILTER_MESSAGE_BYTES];
    struct slice field;

    assert_non_null(set);
    assert_int_equal(filter_add(set, first, &field, message), 0);
    if (second)
        assert_int_equal(filter_add(set, second, &field, message), 0);
    bool result = filter_match(set, value, NULL);

    filter_set_free(set);
    return result;
}

static void test_equal_compares_the_whole_value(void **state)
{
    (void) state;
    assert_true(holds("status=502", NULL));
    assert_false(holds("status=50", NULL));
    assert_false(holds("status!=502", NULL));
    assert_true(holds("status!=504", NULL));
}

static void test_tilde_searches_a_regular_expression(void **state)
{
    (void) state;
    assert_true(holds("status~^50[234]$", NULL));
    assert_true(holds("ua~bot", NULL));
    assert_false(holds("ua~Bot", NULL));
    assert_false(holds("ua!~(bot|crawl)", NULL));
}

static void test_one_of_several_values_is_enough(void **state)
{
    (void) state;
    assert_true(holds("pid=41", NULL));
    assert_true(holds("pid=43", NULL));
    assert_false(holds("pid=4", NULL));
    assert_false(holds("pid!=42", NULL));
}

static void test_all_filters_must_hold(void **state)
{
    (void) state;
    assert_true(holds("status=502", "ua~bot"));
    assert_false(holds("status=502", "ua~curl"));
}

static void test_bad_filters_are_refused_with_a_reason(void **state)
{
    static const char *const bad[] = {"status", "=502", "", "ua~(", "ua~[z-a]"};
    struct filter_set *set = filter_set_new();
    char message[FILTER_MESSAGE_BYTES];
    struct slice field;

    (void) state;
    assert_non_null(set);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(filter_add(set, bad[i], &field, message), -EINVAL);
        assert_true(message[0] != '\0');
    }
    assert_true(filter_match(set, value, NULL)); /* nothing was added */
    filter_set_free(set);
}

static void test_values_may_hold_operators(void **state)
{
    (void) state;
    assert_false(holds("ua=a=b~c", NULL));
    assert_true(holds("ua!=a=b~c", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_compares_the_whole_value),
        cmocka_unit_test(test_tilde_searches_a_regular_expression),
        cmocka_unit_test(test_one_of_several_values_is_enough),
        cmocka_unit_test(test_all_filters_must_hold),
        cmocka_unit_test(test_bad_filters_are_refused_with_a_reason),
        cmocka_unit_test(test_values_may_hold_operators),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
