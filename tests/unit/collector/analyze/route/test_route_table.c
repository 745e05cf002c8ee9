/* test_route_table.c - how many routes there may be, and which keep their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/route/route_table.h"

static const char *hit(struct route_table *table, const char *uri, struct route *route)
{
    route_of_uri(slice_of(uri), route);
    route_table_hit(table, route, route);
    return route->text;
}

static void expect_name(struct route_table *table, const char *uri, const char *expected)
{
    struct route route;

    assert_string_equal(hit(table, uri, &route), expected);
    assert_int_equal(route.len_bytes, strlen(expected));
}

static void hit_many(struct route_table *table, const char *head, const char *tail, int count)
{
    struct route route;
    char uri[128];

    for (int i = 0; i < count; i++) {
        snprintf(uri, sizeof uri, "%s%c%c%s", head, 'a' + i / 26 % 26, 'a' + i % 26, tail);
        hit(table, uri, &route);
    }
}

static void test_few_routes_keep_their_names(void **state)
{
    struct route_table *table = route_table_new(&(struct route_table_limits){0});

    (void) state;
    expect_name(table, "/", "/");
    expect_name(table, "/contact/", "/contact/");
    expect_name(table, "/contact", "/contact");
    expect_name(table, "/catalog/product/view/id/7", "/catalog/product/view/id/{id}");
    expect_name(table, "*", "/");
    assert_int_equal(route_table_stats(table).routes, 4);
    route_table_free(table);
}

static void test_many_titles_of_one_shape_become_a_star(void **state)
{
    struct route_table *table = route_table_new(&(struct route_table_limits){0});

    (void) state;
    expect_name(table, "/checkout/cart/", "/checkout/cart/");
    expect_name(table, "/about", "/about");
    hit_many(table, "/shirt-", ".html", 100);
    expect_name(table, "/shirt-zz.html", "/{*}.html");
    expect_name(table, "/shirt-aa.html", "/{*}.html");
    expect_name(table, "/checkout/cart/", "/checkout/cart/");
    expect_name(table, "/about", "/about");
    assert_true(route_table_stats(table).routes < 10);
    assert_true(route_table_stats(table).folded_routes >= 60);
    route_table_free(table);
}

static void test_a_varying_folder_is_folded_and_what_is_below_it_stays(void **state)
{
    struct route_table *table = route_table_new(&(struct route_table_limits){0});

    (void) state;
    hit_many(table, "/brand/x", "/jobs", 100);
    expect_name(table, "/brand/other/jobs", "/brand/{*}/jobs");
    expect_name(table, "/brand/other/about", "/brand/{*}/about");
    route_table_free(table);
}

static void test_a_page_with_a_share_of_the_hits_keeps_its_name(void **state)
{
    struct route_table *table = route_table_new(&(struct route_table_limits){0});
    struct route route;

    (void) state;
    for (int i = 0; i < 60; i++)
        hit(table, "/contact", &route);
    hit_many(table, "/page-", "", 200);
    expect_name(table, "/contact", "/contact");
    expect_name(table, "/page-aa", "/{*}");
    route_table_free(table);
}

static void test_a_name_can_be_asked_for_without_a_hit(void **state)
{
    struct route_table *table = route_table_new(&(struct route_table_limits){0});
    struct route route;

    (void) state;
    hit_many(table, "/shirt-", ".html", 100);
    hit_many(table, "/brand/x", "/jobs", 100);
    route_of_uri(SLICE("/unseen.html"), &route);
    route_table_name(table, &route, &route);
    assert_string_equal(route.text, "/{*}.html");
    assert_int_equal(route.len_bytes, 9);
    route_of_uri(SLICE("/brand/unseen/jobs"), &route);
    route_table_name(table, &route, &route);
    assert_string_equal(route.text, "/brand/{*}/jobs");
    route_of_uri(SLICE("/never/seen/12/"), &route);
    route_table_name(table, &route, &route);
    assert_string_equal(route.text, "/never/seen/{id}/");
    route_of_uri(SLICE("/"), &route);
    route_table_name(table, &route, &route);
    assert_string_equal(route.text, "/");
    route_table_free(table);
}

static void test_placeholders_are_never_folded(void **state)
{
    struct route_table *table = route_table_new(&(struct route_table_limits){0});

    (void) state;
    hit_many(table, "/x/w", "", 100);
    expect_name(table, "/x/12", "/x/{id}");
    route_table_free(table);
}

static void test_there_are_never_more_routes_than_allowed(void **state)
{
    struct route_table *table = route_table_new(
        &(struct route_table_limits){.max_routes = 100, .max_nodes = 300, .max_children = 64});
    struct route route;
    char uri[128];

    (void) state;
    for (unsigned i = 0; i < 200000; i++) {
        const unsigned x = i * 2654435761u;

        snprintf(uri, sizeof uri, "/%c%c/%c%c/%c%c%s", 'a' + x % 26, 'a' + x / 26 % 26,
                 'a' + x / 676 % 26, 'a' + x / 17576 % 26, 'a' + x / 456976 % 26, 'a' + x % 25,
                 i % 3 ? "" : ".html");
        hit(table, uri, &route);
        assert_true(route_table_stats(table).routes <= 100);
        assert_true(route_table_stats(table).nodes <= 300);
    }
    assert_int_equal(route_table_stats(table).other_hits, 0);
    route_table_free(table);
}

static void test_a_table_that_cannot_be_folded_answers_other(void **state)
{
    struct route_table *table =
        route_table_new(&(struct route_table_limits){.max_routes = 2, .max_nodes = 64});

    (void) state;
    expect_name(table, "/1", "/{id}");
    expect_name(table, "/2/", "/{id}/");
    expect_name(table, "/3.html", "{other}");
    expect_name(table, "/4", "/{id}");
    assert_int_equal(route_table_stats(table).other_hits, 1);
    route_table_free(table);
}

static void test_the_same_calls_give_the_same_names(void **state)
{
    struct route_table *a = route_table_new(&(struct route_table_limits){.max_routes = 50});
    struct route_table *b = route_table_new(&(struct route_table_limits){.max_routes = 50});
    struct route x, y;
    char uri[64];

    (void) state;
    for (unsigned i = 0; i < 5000; i++) {
        const unsigned r = i * 2654435761u >> 8;

        snprintf(uri, sizeof uri, "/%c/%c%c", 'a' + r % 20, 'a' + r / 20 % 26, 'a' + r / 520 % 26);
        assert_string_equal(hit(a, uri, &x), hit(b, uri, &y));
    }
    route_table_free(a);
    route_table_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_routes_keep_their_names),
        cmocka_unit_test(test_many_titles_of_one_shape_become_a_star),
        cmocka_unit_test(test_a_varying_folder_is_folded_and_what_is_below_it_stays),
        cmocka_unit_test(test_a_page_with_a_share_of_the_hits_keeps_its_name),
        cmocka_unit_test(test_a_name_can_be_asked_for_without_a_hit),
        cmocka_unit_test(test_placeholders_are_never_folded),
        cmocka_unit_test(test_there_are_never_more_routes_than_allowed),
        cmocka_unit_test(test_a_table_that_cannot_be_folded_answers_other),
        cmocka_unit_test(test_the_same_calls_give_the_same_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
