/* test_leak_label.c - what is not a leak is called by its own name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/collector/analyze/leak/leak_stream.h"

static int64_t warm_up(struct stream *stream, int worker, unsigned route, unsigned i)
{
    const int64_t seq = stream_next_seq(stream, worker);

    (void) route, (void) i;
    return seq < 60 ? 100000 / seq : 0;
}

static void test_growth_of_young_workers_is_warm_up(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 4000, warm_up);
    assert_int_equal(stream_alarms(&stream), 0);
    assert_int_equal(stream_verdict(&stream, "/r1", NULL), LEAK_VERDICT_warmup);
    stream_release(&stream);
}

static int64_t nothing(struct stream *stream, int worker, unsigned route, unsigned i)
{
    (void) stream, (void) worker, (void) route, (void) i;
    return 0;
}

static void test_where_nothing_stays_the_verdict_is_clean(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 4000, nothing);
    assert_int_equal(stream_verdict(&stream, "/r1", NULL), LEAK_VERDICT_clean);
    stream_release(&stream);
}

static void test_a_route_seen_a_few_times_is_insufficient(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 4000, nothing);
    stream_request(&stream, 0, "/rare", 4096, 0);
    assert_int_equal(stream_verdict(&stream, "/rare", NULL), LEAK_VERDICT_insufficient);
    stream_release(&stream);
}

/* Route 3 leaves a block that the next request of anybody frees. */
static int64_t freed_by_the_next(struct stream *stream, int worker, unsigned route, unsigned i)
{
    static int64_t held[STREAM_WORKERS];
    int64_t left = stream_next_seq(stream, worker) == 1 ? 0 : -held[worker];

    (void) i;
    held[worker] = route == 3 ? 5000 + stream_random(stream, 2000) : 0;
    left += held[worker];
    return left;
}

static void test_what_the_next_request_frees_is_a_delayed_free(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 4000, freed_by_the_next);
    assert_int_equal(stream_alarms(&stream), 0);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_delayed_free);
    stream_release(&stream);
}

/* Route 3 collects, every hundredth request of the worker releases all of it. */
static int64_t released_by_the_hundredth(struct stream *stream, int worker, unsigned route,
                                         unsigned i)
{
    static int64_t held[STREAM_WORKERS];
    const int64_t seq = stream_next_seq(stream, worker);
    int64_t left = 0;

    (void) i;
    if (seq == 1)
        held[worker] = 0;
    if (seq % 100 == 0) {
        left -= held[worker];
        held[worker] = 0;
    }
    if (route == 3) {
        const int64_t bytes = 4000 + stream_random(stream, 2000);

        held[worker] += bytes;
        left += bytes;
    }
    return left;
}

static void test_a_clean_up_at_every_hundredth_request_is_periodic(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 6000, released_by_the_hundredth);
    assert_int_equal(stream_alarms(&stream), 0);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_periodic);
    stream_release(&stream);
}

/* Routes 3 and 4 share a cache of 30 entries: 3 brings large ones in, 4 throws them out. */
static int64_t asymmetric_cache(struct stream *stream, int worker, unsigned route, unsigned i)
{
    static int64_t entries[STREAM_WORKERS][30];
    static int at[STREAM_WORKERS];
    int64_t left;

    (void) i;
    if (route != 3 && route != 4)
        return 0;
    if (stream_next_seq(stream, worker) <= 2)
        for (int e = 0; e < 30; e++)
            entries[worker][e] = 0;
    left = (route == 3 ? 30000 : 300) + stream_random(stream, 100);
    at[worker] = (at[worker] + 1) % 30;
    left -= entries[worker][at[worker]];
    entries[worker][at[worker]] += left;
    return left;
}

static void test_a_full_cache_is_not_a_leak_though_one_route_only_fills_it(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 6000, asymmetric_cache);
    assert_int_equal(stream_alarms(&stream), 0);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_bounded_cache);
    stream_release(&stream);
}

static int64_t one_large_block_per_life(struct stream *stream, int worker, unsigned route,
                                        unsigned i)
{
    static int64_t done_for[STREAM_WORKERS];
    const int64_t seq = stream_next_seq(stream, worker);

    (void) i;
    if (route != 3 || seq < 200 || done_for[worker] == stream->workers[worker].pid)
        return 0;
    done_for[worker] = stream->workers[worker].pid;
    return 300000;
}

static void test_one_large_block_in_each_worker_is_a_one_off(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 9000, one_large_block_per_life);
    assert_int_equal(stream_alarms(&stream), 0);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_one_off);
    stream_release(&stream);
}

/* At request 3000 a deploy empties every cache, and all routes fill them once more. */
static int64_t deploy(struct stream *stream, int worker, unsigned route, unsigned i)
{
    (void) worker, (void) route;
    return i > 3000 && i < 3200 ? 20000 + stream_random(stream, 20000) : 0;
}

static void test_a_deploy_that_warms_up_the_whole_pool_again_is_nobodys_fault(void **state)
{
    struct leak_report *report;
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 0, 3400, deploy);
    assert_int_equal(stream_alarms(&stream), 0);
    report = leak_verdicts(stream.analyzer);
    assert_true(report->coverage.warm_restarts > 0);
    leak_report_free(report);
    stream_release(&stream);
}

/* One hit in thirty grows, and one shrinks: now and then three of ten routes in one window. */
static int64_t by_chance(struct stream *stream, int worker, unsigned route, unsigned i)
{
    const uint32_t dice = stream_random(stream, 30);

    (void) worker, (void) route, (void) i;
    return dice == 0 ? 3000 : dice == 1 ? -3000 : 0;
}

static void test_routes_that_grow_in_one_window_by_chance_are_no_deploy(void **state)
{
    struct leak_report *report;
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 0, 20000, by_chance);
    report = leak_verdicts(stream.analyzer);
    assert_int_equal(report->coverage.warm_restarts, 0);
    leak_report_free(report);
    stream_release(&stream);
}

/* Route 3 keeps odd sizes of which no sample is ever taken, while others are sampled: denied, but
 * not by a release. */
static void test_what_nobody_saw_released_is_neither_a_cache_nor_periodic(void **state)
{
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned number = stream_random(&stream, 10);
        const int worker = (int) stream_random(&stream, 4);

        stream_request(&stream, worker, stream_route(number),
                       number == 3 ? 90000 + (int64_t) stream_random(&stream, 9000) : 0, 0);
        if (number == 5)
            stream_sample(&stream, worker, 64, 7);
    }
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_suspect);
    stream_release(&stream);
}

static void announce_pcre_stack(struct stream *stream, int64_t stack)
{
    static const struct event_list frames = {
        .count = 2,
        .items = {SLICE("pcre2_compile_8 (libpcre2-8.so.0)"),
                  SLICE("pcre_get_compiled_regex_cache_ex (php-fpm8.2)")}};
    const struct event event = {
        .kind = EVENT_stk, .has = STREAM_HAS(id) | STREAM_HAS(nat), .id = stack, .nat = &frames};

    leak_feed(stream->analyzer, &event);
}

/* New patterns in every request, all of one size; PCRE keeps 4,096 of them. */
static void test_a_cache_of_php_that_still_fills_is_no_leak_once_its_stack_is_seen(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned number = stream_random(&stream, 10);
        const int worker = (int) stream_random(&stream, 4);

        if (i == 3000) {
            assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_leak);
            announce_pcre_stack(&stream, 9);
        }
        stream_request(&stream, worker, stream_route(number), number == 3 ? 1600 : 0, 0);
        if (i > 3000 && number == 3 && stream_random(&stream, 20) == 0)
            stream_sample(&stream, worker, 1600, 9);
    }
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_bounded_cache);
    assert_true(route.confidence < .1);
    assert_int_equal(stream_alarms(&stream), 0);
    stream_release(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth_of_young_workers_is_warm_up),
        cmocka_unit_test(test_where_nothing_stays_the_verdict_is_clean),
        cmocka_unit_test(test_a_route_seen_a_few_times_is_insufficient),
        cmocka_unit_test(test_what_the_next_request_frees_is_a_delayed_free),
        cmocka_unit_test(test_a_clean_up_at_every_hundredth_request_is_periodic),
        cmocka_unit_test(test_a_full_cache_is_not_a_leak_though_one_route_only_fills_it),
        cmocka_unit_test(test_one_large_block_in_each_worker_is_a_one_off),
        cmocka_unit_test(test_a_deploy_that_warms_up_the_whole_pool_again_is_nobodys_fault),
        cmocka_unit_test(test_routes_that_grow_in_one_window_by_chance_are_no_deploy),
        cmocka_unit_test(test_what_nobody_saw_released_is_neither_a_cache_nor_periodic),
        cmocka_unit_test(test_a_cache_of_php_that_still_fills_is_no_leak_once_its_stack_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
