/* Which requests are armed: the budget first, then heavy routes, then new ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "zend/chooser.h"

enum { MS = 1000000 };

static bool wants(struct chooser *chooser, const char *uri)
{
    uint32_t peak_kib;

    return chooser_wants(chooser, uri, strlen(uri), &peak_kib);
}

static void learn(struct chooser *chooser, const char *uri, uint32_t peak_kib, bool was_armed)
{
    chooser_learn(chooser, uri, strlen(uri), peak_kib, was_armed);
}

/* One that has paid for an arming, and has exactly `purse_ns` left. */
static struct chooser with_purse(int64_t purse_ns)
{
    return (struct chooser){.budget_ppm = 5000, .cost_ns = MS, .purse_ns = purse_ns};
}

static void test_the_share_of_armed_time_stays_in_the_budget(void **state)
{
    struct chooser chooser = {.budget_ppm = 5000};
    int64_t spent_ns = 0, used_ns = 0;
    char uri[32];

    (void) state;
    for (int i = 0; i < 20000; i++) {
        snprintf(uri, sizeof uri, "/page%c/", 'a' + i % 20);
        if (!chooser_is_broke(&chooser) && wants(&chooser, uri)) {
            learn(&chooser, uri, i % 20 == 0 ? 64 * 1024 : 4096, true);
            chooser_spend(&chooser, 5 * MS);
            spent_ns += 5 * MS;
        }
        used_ns += 20 * MS;
        chooser_earn(&chooser, 20 * MS);
    }
    assert_true(spent_ns <= used_ns / 200 + 5 * MS);
    assert_true(spent_ns >= used_ns / 400); /* and it is used */
}

static void test_a_debt_stops_everybody_at_one_comparison(void **state)
{
    struct chooser chooser = with_purse(0);

    (void) state;
    chooser_spend(&chooser, 3 * MS);
    assert_true(chooser_is_broke(&chooser));
    assert_false(wants(&chooser, "/new/"));
}

static void test_a_heavy_route_is_armed_from_an_empty_purse_a_new_one_is_not(void **state)
{
    struct chooser chooser = with_purse(0);

    (void) state;
    learn(&chooser, "/export/", 400 * 1024, true);
    assert_true(wants(&chooser, "/export/"));
    assert_false(wants(&chooser, "/new/"));
    chooser.purse_ns = 2 * MS;
    assert_true(wants(&chooser, "/new/"));
}

static void test_a_light_route_that_was_seen_waits_longer_than_a_new_one(void **state)
{
    struct chooser chooser = with_purse(2 * MS);

    (void) state;
    learn(&chooser, "/home/", 4096, true);
    assert_false(wants(&chooser, "/home/"));
    assert_true(wants(&chooser, "/new/"));
    chooser.purse_ns = 5 * MS;
    assert_true(wants(&chooser, "/home/"));
}

static void test_the_peak_of_a_known_route_comes_with_the_answer(void **state)
{
    struct chooser chooser = with_purse(100 * MS);
    uint32_t peak_kib = 1;

    (void) state;
    assert_true(chooser_wants(&chooser, "/a/", 3, &peak_kib));
    assert_int_equal(peak_kib, 0);
    learn(&chooser, "/a/", 4096, true);
    assert_true(chooser_wants(&chooser, "/a/", 3, &peak_kib));
    assert_int_equal(peak_kib, 4096);
}

static void test_a_budget_of_all_arms_every_request_and_none_arms_none(void **state)
{
    struct chooser all = {.budget_ppm = CHOOSER_ALWAYS_PPM}, none = {.budget_ppm = 0};

    (void) state;
    for (int i = 0; i < 100; i++) {
        assert_true(wants(&all, "/a/"));
        learn(&all, "/a/", 4096, true);
        chooser_spend(&all, 1000 * MS);
        assert_false(wants(&none, "/a/"));
    }
}

static void test_numbers_and_queries_do_not_make_routes(void **state)
{
    const uint64_t one = chooser_hash("/product/17.html?a=1", 20);

    (void) state;
    assert_int_equal(one, chooser_hash("/product/2345.html", 18));
    assert_int_equal(one, chooser_hash("/product/1.html#x", 17));
    assert_int_not_equal(one, chooser_hash("/product/1/2.html", 17));
    assert_int_not_equal(one, chooser_hash("/produkt/17.html", 16));
    assert_int_not_equal(chooser_hash("", 0), 0);
}

static void test_heavy_routes_survive_a_flood_of_light_ones(void **state)
{
    struct chooser chooser = with_purse(0);
    char uri[32];

    (void) state;
    learn(&chooser, "/export/", 400 * 1024, false);
    for (int i = 0; i < 5000; i++) {
        snprintf(uri, sizeof uri, "/%c%c%c%c/", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676 % 26,
                 'x');
        learn(&chooser, uri, 2048, true);
    }
    assert_true(wants(&chooser, "/export/"));
}

static void test_an_idle_worker_does_not_save_up_for_ever(void **state)
{
    struct chooser chooser = with_purse(0);

    (void) state;
    chooser_earn(&chooser, UINT64_C(3600) * 1000 * MS);
    assert_int_equal(chooser.purse_ns, CHOOSER_PURSE_MAX * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_share_of_armed_time_stays_in_the_budget),
        cmocka_unit_test(test_a_debt_stops_everybody_at_one_comparison),
        cmocka_unit_test(test_a_heavy_route_is_armed_from_an_empty_purse_a_new_one_is_not),
        cmocka_unit_test(test_a_light_route_that_was_seen_waits_longer_than_a_new_one),
        cmocka_unit_test(test_the_peak_of_a_known_route_comes_with_the_answer),
        cmocka_unit_test(test_a_budget_of_all_arms_every_request_and_none_arms_none),
        cmocka_unit_test(test_numbers_and_queries_do_not_make_routes),
        cmocka_unit_test(test_heavy_routes_survive_a_flood_of_light_ones),
        cmocka_unit_test(test_an_idle_worker_does_not_save_up_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
