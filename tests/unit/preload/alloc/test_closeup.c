/* test_closeup.c - finer samples of one route, for as much as the purse holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "alloc/closeup.h"
#include "fpmscope/route_wish.h"

enum { USUAL = 512 * 1024, WISHED = 8 * 1024, BUDGET_PPM = 5000, MS = 1000 * 1000 };

static void test_a_route_is_seen_closely_only_when_others_have_paid_for_it(void **state)
{
    struct closeup closeup = {0};

    (void) state;
    closeup_wish(&closeup, WISHED);
    assert_int_equal(closeup_begin(&closeup, USUAL), USUAL);
    closeup_earn(&closeup, 100 * MS, BUDGET_PPM);
    assert_int_equal(closeup.purse_ns, MS / 2);
    assert_int_equal(closeup_begin(&closeup, USUAL), WISHED);
}

static void test_an_empty_purse_ends_the_close_up_and_makes_the_next_one_coarser(void **state)
{
    struct closeup closeup = {0};

    (void) state;
    closeup_wish(&closeup, WISHED);
    closeup_earn(&closeup, 100 * MS, BUDGET_PPM);
    closeup_begin(&closeup, USUAL);
    assert_true(closeup_spend(&closeup, MS / 4));
    assert_false(closeup_spend(&closeup, MS / 4));
    assert_false(closeup_spend(&closeup, MS / 4));
    closeup_end(&closeup);
    closeup_earn(&closeup, 100 * MS, BUDGET_PPM);
    assert_int_equal(closeup_begin(&closeup, USUAL), 2 * WISHED);
}

static void test_the_purse_holds_20_ms_and_a_full_one_makes_it_finer_again(void **state)
{
    struct closeup closeup = {0};

    (void) state;
    closeup_wish(&closeup, WISHED);
    closeup.interval_bytes = 4 * WISHED;
    for (int i = 0; i < 100; i++)
        closeup_earn(&closeup, 1000 * MS, BUDGET_PPM);
    assert_int_equal(closeup.purse_ns, CLOSEUP_PURSE_MAX_NS);
    for (int i = 0; i < 9; i++) {
        closeup_begin(&closeup, USUAL);
        closeup_end(&closeup);
    }
    assert_int_equal(closeup_begin(&closeup, USUAL), WISHED);
}

static void test_what_is_finer_already_stays_as_it_is(void **state)
{
    struct closeup closeup = {.purse_ns = MS};

    (void) state;
    closeup_wish(&closeup, WISHED);
    assert_int_equal(closeup_begin(&closeup, 4096), 4096);
    assert_false(closeup.is_on);
}

static void test_no_wish_no_close_up(void **state)
{
    struct closeup closeup = {.purse_ns = MS};

    (void) state;
    closeup_wish(&closeup, WISHED);
    closeup_wish(&closeup, 0);
    assert_int_equal(closeup_begin(&closeup, USUAL), USUAL);
    assert_false(closeup_spend(&closeup, 1));
}

static struct recorder_wishes wish_for(const char *path, uint32_t flags)
{
    return (struct recorder_wishes){.route_hash = route_wish_hash(path, strlen(path)),
                                    .route_bytes = (uint32_t) strlen(path),
                                    .flags = flags};
}

static bool is_about(const struct recorder_wishes *wishes, const char *uri)
{
    return route_wish_is_about(wishes, uri, strlen(uri));
}

static void test_a_wish_is_about_paths_that_begin_with_it_or_about_one_path(void **state)
{
    const struct recorder_wishes all = wish_for("/product/", 0),
                                 one = wish_for("/contact/", RECORDER_WISH_WHOLE_PATH), none = {0};

    (void) state;
    assert_true(is_about(&all, "/product/42?color=red"));
    assert_false(is_about(&all, "/produce/42"));
    assert_false(is_about(&all, "/p?/product/"));
    assert_true(is_about(&one, "/contact/?a=b"));
    assert_false(is_about(&one, "/contact/form"));
    assert_false(is_about(&one, ""));
    assert_false(is_about(&none, "/contact/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_route_is_seen_closely_only_when_others_have_paid_for_it),
        cmocka_unit_test(test_an_empty_purse_ends_the_close_up_and_makes_the_next_one_coarser),
        cmocka_unit_test(test_the_purse_holds_20_ms_and_a_full_one_makes_it_finer_again),
        cmocka_unit_test(test_what_is_finer_already_stays_as_it_is),
        cmocka_unit_test(test_no_wish_no_close_up),
        cmocka_unit_test(test_a_wish_is_about_paths_that_begin_with_it_or_about_one_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
