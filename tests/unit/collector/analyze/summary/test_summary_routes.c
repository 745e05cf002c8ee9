/* test_summary_routes.c - under which routes requests and deaths are summed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "analyze/summary/summary.h"
#include "model/event_set.h"

static void add_request_of(struct summary *summary, int64_t pid, int64_t seq, const char *uri)
{
    struct event event = {.kind = EVENT_req};

    event_set_ts_us(&event, 1000000 * seq);
    event_set_pid(&event, pid);
    event_set_seq(&event, seq);
    event_set_uri(&event, slice_of(uri));
    event_set_status(&event, 200);
    summary_add_event(summary, &event);
}

static void add_request(struct summary *summary, int64_t seq, const char *uri)
{
    add_request_of(summary, 7, seq, uri);
}

static const struct summary_route *find_route(const struct summary_result *result, const char *name)
{
    for (size_t i = 0; i < result->route_count; i++)
        if (slice_equal(result->routes[i].route, slice_of(name)))
            return &result->routes[i];
    return NULL;
}

static void test_ten_thousand_titles_are_one_route_and_the_cart_is_its_own(void **state)
{
    struct summary *summary = summary_new(&(struct summary_options){0});
    const struct summary_result *result;
    char uri[64];

    (void) state;
    for (int i = 0; i < 10000; i++) {
        snprintf(uri, sizeof uri, "/shirt-%c%c%c.html?color=%d", 'a' + i % 26, 'a' + i / 26 % 26,
                 'a' + i / 676, i);
        add_request(summary, 2 * i + 1, uri);
        add_request(summary, 2 * i + 2, "/checkout/cart/");
    }
    result = summary_finish(summary);
    assert_true(result->route_count <= 67);
    assert_non_null(find_route(result, "/{*}.html"));
    assert_true(find_route(result, "/{*}.html")->hits > 9900);
    assert_int_equal(find_route(result, "/checkout/cart/")->hits, 10000);
    summary_free(summary);
}

static void add_worker(struct summary *summary, int64_t pid, const char *pool)
{
    struct event event = {.kind = EVENT_start};

    event_set_ts_us(&event, 1);
    event_set_pid(&event, pid);
    event_set_pool(&event, slice_of(pool));
    summary_add_event(summary, &event);
}

static void test_a_routes_share_is_of_the_pools_that_serve_it(void **state)
{
    struct summary *summary = summary_new(&(struct summary_options){0});
    const struct summary_result *result;

    (void) state;
    add_worker(summary, 7, "shop");
    add_worker(summary, 8, "mail");
    for (int i = 0; i < 30; i++) {
        add_request_of(summary, 7, 4 * i + 1, "/cart/");
        add_request_of(summary, 7, 4 * i + 2, "/login/");
        add_request_of(summary, 8, 4 * i + 3, "/inbox/");
        add_request_of(summary, i % 3 ? 7 : 8, 4 * i + 4, "/help/");
    }
    result = summary_finish(summary);
    assert_int_equal(find_route(result, "/cart/")->pool_requests, 80);
    assert_int_equal(find_route(result, "/inbox/")->pool_requests, 40);
    assert_int_equal(find_route(result, "/inbox/")->pool_hits, 30);
    assert_int_equal(find_route(result, "/help/")->pool_hits, 20);
    assert_int_equal(find_route(result, "/help/")->pool_requests, 80);
    summary_free(summary);
}

static void end_worker(struct summary *summary, int64_t pid, int64_t ts_us)
{
    struct event event = {.kind = EVENT_end};

    event_set_ts_us(&event, ts_us);
    event_set_pid(&event, pid);
    summary_add_event(summary, &event);
}

/* An hour of one request a second, a night without, and another hour. */
static void test_a_pools_pace_leaves_out_its_pauses_and_its_dead(void **state)
{
    const int64_t hour_us = INT64_C(3600) * 1000000;
    struct summary *summary = summary_new(&(struct summary_options){0});
    const struct summary_result *result;
    const struct summary_route *cart;

    (void) state;
    add_worker(summary, 6, "shop");
    add_worker(summary, 7, "shop");
    add_worker(summary, 8, "shop");
    for (int64_t i = 1; i <= 3600; i++)
        add_request_of(summary, 6 + i % 2, i, "/cart/");
    end_worker(summary, 6, hour_us + 1);
    for (int64_t i = 1; i <= 3600; i++)
        add_request_of(summary, 7 + i % 2, 36000 + i, "/cart/");
    end_worker(summary, 7, 11 * hour_us + 1);
    result = summary_finish(summary);
    cart = find_route(result, "/cart/");
    assert_in_range((uint64_t) cart->pool_requests_per_hour, 3560, 3600);
    assert_int_equal(cart->pool_workers, 2); /* 7 ended after the traffic, 6 before it */
    summary_free(summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_thousand_titles_are_one_route_and_the_cart_is_its_own),
        cmocka_unit_test(test_a_routes_share_is_of_the_pools_that_serve_it),
        cmocka_unit_test(test_a_pools_pace_leaves_out_its_pauses_and_its_dead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
