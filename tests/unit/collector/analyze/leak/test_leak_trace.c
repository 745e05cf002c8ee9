/* test_leak_trace.c - the routes of a stream have the names that the summary gives them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "analyze/leak/leak_trace.h"
#include "analyze/summary/summary.h"
#include "model/event_set.h"

enum { PAGES = 400, ROUNDS = 30 };

typedef void (*feed_fn)(void *ctx, const struct event *event);

static void feed_trace(void *ctx, const struct event *event)
{
    leak_trace_feed(ctx, event);
}

static void feed_summary(void *ctx, const struct event *event)
{
    summary_add_event(ctx, event);
}

static void header(feed_fn feed, void *ctx, const char *clock)
{
    struct event event = {.kind = EVENT_hdr};

    if (clock)
        event_set_clock(&event, slice_of(clock));
    feed(ctx, &event);
}

static void request(feed_fn feed, void *ctx, int64_t seq, const char *uri)
{
    struct event event = {.kind = EVENT_req};

    event_set_ts_us(&event, 1000000 * seq);
    event_set_pid(&event, 7);
    event_set_seq(&event, seq);
    event_set_uri(&event, slice_of(uri));
    event_set_live0_bytes(&event, 1000 * seq);
    event_set_live1_bytes(&event, 1000 * (seq + 1));
    feed(ctx, &event);
}

/* Ids, queries, and more titles than names for them. */
static void visit(feed_fn feed, void *ctx)
{
    int64_t seq = 0;
    char uri[64];

    header(feed, ctx, "unix");
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < PAGES; i++) {
            snprintf(uri, sizeof uri, "/product/view/id/%d/?q=*", 1000 + i);
            request(feed, ctx, ++seq, uri);
            snprintf(uri, sizeof uri, "/shirt-%c%c.html", 'a' + i % 26, 'a' + i / 26);
            request(feed, ctx, ++seq, uri);
            request(feed, ctx, ++seq, "/checkout/cart/");
        }
}

static const struct leak_route *find(const struct leak_report *report, struct slice uri)
{
    for (size_t i = 0; i < report->route_count; i++)
        if (slice_equal(report->routes[i].uri, uri))
            return &report->routes[i];
    return NULL;
}

static void test_every_route_of_the_stream_is_one_of_the_summarys(void **state)
{
    struct leak_trace *trace = leak_trace_new();
    struct summary *summary = summary_new(&(struct summary_options){0});
    const struct summary_result *result;
    struct leak_report *report;
    size_t named = 0;

    (void) state;
    visit(feed_trace, trace);
    visit(feed_summary, summary);
    report = leak_trace_verdicts(trace);
    result = summary_finish(summary);
    assert_non_null(find(report, SLICE("/product/view/id/{id}/")));
    for (size_t i = 0; i < result->route_count; i++)
        named += find(report, result->routes[i].route) != NULL;
    assert_int_equal(named, result->route_count);
    assert_true(report->route_count <= result->route_count + 1); /* "*": every route */
    leak_report_free(report);
    leak_trace_free(trace);
    summary_free(summary);
}

static void test_the_uris_of_a_simulation_are_routes(void **state)
{
    struct leak_trace *trace = leak_trace_new();
    struct leak_report *report;

    (void) state;
    header(feed_trace, trace, NULL);
    for (int64_t seq = 1; seq <= 50; seq++)
        request(feed_trace, trace, seq, seq % 2 ? "/page/101" : "/page/102");
    report = leak_trace_verdicts(trace);
    assert_non_null(find(report, SLICE("/page/101")));
    assert_non_null(find(report, SLICE("/page/102")));
    leak_report_free(report);
    leak_trace_free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_of_the_stream_is_one_of_the_summarys),
        cmocka_unit_test(test_the_uris_of_a_simulation_are_routes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
