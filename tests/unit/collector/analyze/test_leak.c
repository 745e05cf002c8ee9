/* test_leak.c - each rule of the leak analysis, by one example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/collector/analyze/leak_stream.h"

/* Requests over four workers and ten routes; `left` says what request number i leaves. */
static void serve(struct stream *stream, unsigned requests,
                  int64_t (*left)(struct stream *, int worker, unsigned route, unsigned i))
{
    for (unsigned i = 0; i < requests; i++) {
        const unsigned route = stream_random(stream, 10);
        const int worker = (int) stream_random(stream, 4);

        stream_request(stream, worker, stream_route(route), left(stream, worker, route, i), 0);
    }
}

static int64_t seq_of(const struct stream *stream, int worker)
{
    return stream->workers[worker].pid ? stream->workers[worker].seq + 1 : 1;
}

static int64_t one_kib_of_route_3(struct stream *stream, int worker, unsigned route, unsigned i)
{
    (void) stream, (void) worker, (void) i;
    return route == 3 ? 1024 : 0;
}

static void test_a_route_that_keeps_the_same_bytes_is_a_leak_and_no_other_is(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve(&stream, 4000, one_kib_of_route_3);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.bytes_per_request > 1000 && route.bytes_per_request < 1050);
    assert_true(route.confidence > .9);
    assert_true(route.flagged_at > 0 && route.flagged_at < 1000);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

static void test_a_leak_is_not_claimed_before_its_workers_are_old(void **state)
{
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve(&stream, 200, one_kib_of_route_3);
    assert_int_equal(stream_alarms(&stream), 0);
    stream_release(&stream);
}

static int64_t warm_up(struct stream *stream, int worker, unsigned route, unsigned i)
{
    const int64_t seq = seq_of(stream, worker);

    (void) route, (void) i;
    return seq < 60 ? 100000 / seq : 0;
}

static void test_growth_of_young_workers_is_warm_up(void **state)
{
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve(&stream, 4000, warm_up);
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
    stream_init(&stream, 500);
    serve(&stream, 4000, nothing);
    assert_int_equal(stream_verdict(&stream, "/r1", NULL), LEAK_VERDICT_clean);
    stream_release(&stream);
}

static void test_a_route_seen_a_few_times_is_insufficient(void **state)
{
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve(&stream, 4000, nothing);
    stream_request(&stream, 0, "/rare", 4096, 0);
    assert_int_equal(stream_verdict(&stream, "/rare", NULL), LEAK_VERDICT_insufficient);
    stream_release(&stream);
}

/* Route 3 leaves a block that the next request of anybody frees. */
static int64_t freed_by_the_next(struct stream *stream, int worker, unsigned route, unsigned i)
{
    static int64_t held[STREAM_WORKERS];
    int64_t left = seq_of(stream, worker) == 1 ? 0 : -held[worker];

    (void) i;
    held[worker] = route == 3 ? 5000 + stream_random(stream, 2000) : 0;
    left += held[worker];
    return left;
}

static void test_what_the_next_request_frees_is_a_delayed_free(void **state)
{
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve(&stream, 4000, freed_by_the_next);
    assert_int_equal(stream_alarms(&stream), 0);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_delayed_free);
    stream_release(&stream);
}

/* Route 3 collects, every hundredth request of the worker releases all of it. */
static int64_t released_by_the_hundredth(struct stream *stream, int worker, unsigned route,
                                         unsigned i)
{
    static int64_t held[STREAM_WORKERS];
    const int64_t seq = seq_of(stream, worker);
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
    stream_init(&stream, 500);
    serve(&stream, 6000, released_by_the_hundredth);
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
    if (seq_of(stream, worker) <= 2)
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
    stream_init(&stream, 500);
    serve(&stream, 6000, asymmetric_cache);
    assert_int_equal(stream_alarms(&stream), 0);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_bounded_cache);
    stream_release(&stream);
}

static int64_t one_large_block_per_life(struct stream *stream, int worker, unsigned route,
                                        unsigned i)
{
    static int64_t done_for[STREAM_WORKERS];
    const int64_t seq = seq_of(stream, worker);

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
    stream_init(&stream, 500);
    serve(&stream, 9000, one_large_block_per_life);
    assert_int_equal(stream_alarms(&stream), 0);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_one_off);
    stream_release(&stream);
}

static int64_t every_route_keeps_300(struct stream *stream, int worker, unsigned route, unsigned i)
{
    (void) stream, (void) worker, (void) i;
    return route == 3 ? 1300 : 300;
}

static void test_what_every_route_keeps_is_charged_to_all_and_the_rest_to_its_route(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve(&stream, 5000, every_route_keeps_300);
    assert_int_equal(stream_verdict(&stream, "*", &route), LEAK_VERDICT_leak);
    assert_true(route.bytes_per_request == 300);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.bytes_per_request == 1000);
    assert_int_equal(stream_verdict(&stream, "/r1", NULL), LEAK_VERDICT_shared_growth);
    assert_int_equal(stream_alarms(&stream), 2);
    stream_release(&stream);
}

static int64_t now_and_then_the_same(struct stream *stream, int worker, unsigned route, unsigned i)
{
    (void) worker, (void) i;
    return route == 3 && stream_random(stream, 10) == 0 ? 8000 : 0;
}

static void test_a_leak_on_one_hit_in_ten_shows_by_its_size(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve(&stream, 9000, now_and_then_the_same);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.evidence.sparse);
    assert_true(route.bytes_per_request > 400 && route.bytes_per_request < 1200);
    stream_release(&stream);
}

static void test_a_leak_of_failed_requests_only_is_found_on_them(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    for (unsigned i = 0; i < 8000; i++) {
        const unsigned number = stream_random(&stream, 10);
        const bool failed = stream_random(&stream, 5) == 0;
        const int64_t left = failed && number == 3 ? 3000 + stream_random(&stream, 3000) : 0;

        stream.status = failed ? 500 : 200;
        stream_request(&stream, (int) stream_random(&stream, 4), stream_route(number), left, 0);
    }
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.evidence.on_errors);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

static void test_a_mapping_that_stays_is_a_leak_among_chunks_that_come_and_go(void **state)
{
    struct leak_route route;
    struct stream stream;
    int64_t extra[4] = {0};

    (void) state;
    stream_init(&stream, 500);
    for (unsigned i = 0; i < 5000; i++) {
        const unsigned number = stream_random(&stream, 10);
        const int worker = (int) stream_random(&stream, 4);
        int64_t kib = number == 3 ? 256 : 0;

        if (stream.workers[worker].pid == 0)
            extra[worker] = 0;
        if (stream_random(&stream, 20) == 0) {
            kib += extra[worker] > 0 ? -2048 : 2048;
            extra[worker] = extra[worker] > 0 ? 0 : 2048;
        }
        stream_request(&stream, worker, stream_route(number), 0, kib);
    }
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.evidence.mmap);
    assert_int_equal(stream_alarms(&stream), 1);
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
    stream_init(&stream, 0);
    serve(&stream, 3400, deploy);
    assert_int_equal(stream_alarms(&stream), 0);
    report = leak_verdicts(stream.analyzer);
    assert_true(report->coverage.warm_restarts > 0);
    leak_report_free(report);
    stream_release(&stream);
}

static void test_survivors_of_one_stack_confirm_and_name_it(void **state)
{
    struct leak_report *report;
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    for (unsigned i = 0; i < 5000; i++) {
        const unsigned number = stream_random(&stream, 10);
        const int worker = (int) stream_random(&stream, 4);
        const int64_t bytes = number == 3 ? 60000 + stream_random(&stream, 60000) : 0;

        stream.life = 0; /* the sample belongs to the request: end the life by hand, after it */
        stream_request(&stream, worker, stream_route(number), bytes, 0);
        if (bytes > 0 && stream_random(&stream, 4) < 3)
            stream_sample(&stream, worker, bytes, 77);
        if (stream.workers[worker].seq == 500)
            stream_end(&stream, worker);
    }
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_int_equal(route.stack_count, 1);
    assert_int_equal(route.stacks[0], 77);
    report = leak_verdicts(stream.analyzer);
    assert_int_equal(report->stack_count, 1);
    assert_int_equal(report->stacks[0].id, 77);
    assert_int_equal(report->stacks[0].verdict, LEAK_VERDICT_leak);
    leak_report_free(report);
    stream_release(&stream);
}

static void test_one_sample_as_large_as_what_a_route_leaves_names_its_stack(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned number = stream_random(&stream, 10);
        const int worker = (int) stream_random(&stream, 4);

        stream_request(&stream, worker, stream_route(number), number == 3 ? 1024 : 0, 0);
        if (number == 3 && (i / 1000 == 1 || i / 1000 == 2) && stream_random(&stream, 100) < 2)
            stream_sample(&stream, worker, i / 1000 == 1 ? 1024 : 777, i / 1000 == 1 ? 9 : 8);
    }
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_int_equal(route.stack_count, 1);
    assert_int_equal(route.stacks[0], 9);
    stream_release(&stream);
}

/* One hit in twenty of route 3 leaves a large block; its floors drown in what others move. */
static void test_rare_blocks_that_all_survive_are_a_leak(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    stream.life = 0;
    for (unsigned i = 0; i < 9000; i++) {
        const unsigned number = stream_random(&stream, 10);
        const int worker = (int) stream_random(&stream, 4);
        const bool leaks = number == 3 && stream_random(&stream, 20) == 0;
        const int64_t noise = 9 * ((int64_t) stream_random(&stream, 8000) - 4000),
                      bytes = 50000 + (int64_t) stream_random(&stream, 50000);

        stream_request(&stream, worker, stream_route(number), leaks ? bytes : noise, 0);
        if (leaks)
            stream_sample(&stream, worker, bytes, 77);
        if (stream.workers[worker].seq == 500)
            stream_end(&stream, worker);
    }
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_int_equal(route.stacks[0], 77);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

/* Routes 6 to 9 move more, up and down, and the floors are few. */
static int64_t small_and_odd_under_noise(struct stream *stream, int worker, unsigned route,
                                         unsigned i)
{
    (void) worker, (void) i;
    if (route == 3)
        return 300 + stream_random(stream, 600);
    return route >= 6 && stream_random(stream, 10) == 0
               ? (int64_t) stream_random(stream, 12000) - 6000
               : 0;
}

static void test_small_odd_sizes_under_noise_that_nothing_released_are_a_leak(void **state)
{
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve(&stream, 1000, small_and_odd_under_noise);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

/* Half of the hits leave something else besides. */
static int64_t steady_under_its_own_noise(struct stream *stream, int worker, unsigned route,
                                          unsigned i)
{
    const int64_t noise = (int64_t) stream_random(stream, 8000) - 4000;

    (void) worker, (void) i;
    return route == 3 ? 640 + (stream_random(stream, 5) < 3 ? llabs(noise) / 8 : 0)
                      : (route >= 6 ? noise * 9 : 0);
}

static void test_the_same_size_on_two_hits_in_five_is_what_the_route_leaks(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve(&stream, 4000, steady_under_its_own_noise);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

static void test_survivors_in_the_hands_of_all_routes_blame_none(void **state)
{
    struct leak_report *report;
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    for (unsigned i = 0; i < 5000; i++) {
        const int worker = (int) stream_random(&stream, 4);
        const bool grows = stream_random(&stream, 20) == 0;

        stream_request(&stream, worker, stream_route(stream_random(&stream, 10)),
                       grows ? 30000 + stream_random(&stream, 999) : 0, 0);
        if (grows)
            stream_sample(&stream, worker, 30000, 5);
    }
    assert_int_equal(stream_alarms(&stream), 0);
    report = leak_verdicts(stream.analyzer);
    assert_int_equal(report->stack_count, 1);
    assert_int_equal(report->stacks[0].verdict, LEAK_VERDICT_shared_growth);
    leak_report_free(report);
    stream_release(&stream);
}

/* What php-fpm 8.2 did under the shim: two routes leak 64 KiB each, others crash the workers. */
static void test_leaks_show_in_workers_that_crash_young(void **state)
{
    struct leak_route route;
    struct stream stream;
    int64_t ends_at[4] = {49, 127, 97, 231};

    (void) state;
    stream_init(&stream, 0);
    for (unsigned i = 0; i < 900; i++) {
        const unsigned number = stream_random(&stream, 5);
        const int worker = (int) stream_random(&stream, 4);
        const int64_t seq = seq_of(&stream, worker);
        const int64_t warm = seq < 4 ? 968 : 0;

        stream_request(&stream, worker, stream_route(number),
                       warm + (number == 3   ? 65544
                               : number == 4 ? 66048
                                             : 0),
                       0);
        if (seq == ends_at[worker]) {
            stream_end(&stream, worker);
            ends_at[worker] = 9 + stream_random(&stream, 230);
        }
    }
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.bytes_per_request == 65544);
    assert_true(route.flagged_at < 700);
    assert_int_equal(stream_verdict(&stream, "/r4", &route), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 2);
    stream_release(&stream);
}

/* Lives so short that the floors of a single one make one interval: two leaks, one equation. */
static void test_two_leaks_in_a_single_interval_between_floors_are_both_leaks(void **state)
{
    static const int64_t lives[] = {170, 110, 100, 95, 90, 65, 65, 54, 46};
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    for (int life = 0; life < 9; life++) {
        for (int64_t i = 0; i < lives[life]; i++) {
            const unsigned number = stream_random(&stream, 5);
            const int64_t left = number == 3 ? 65544 : number == 4 ? 66048 : 0;

            stream_request(&stream, life, stream_route(number), left, 0);
        }
        stream_end(&stream, life);
    }
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_leak);
    assert_int_equal(stream_verdict(&stream, "/r4", NULL), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 2);
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

static void test_asking_for_verdicts_changes_none(void **state)
{
    struct leak_route once, often;
    struct stream asked, left_alone;

    (void) state;
    stream_init(&asked, 500);
    stream_init(&left_alone, 500);
    for (unsigned i = 0; i < 30; i++) {
        serve(&asked, 100, one_kib_of_route_3);
        serve(&left_alone, 100, one_kib_of_route_3);
        leak_report_free(i < 5 ? leak_verdicts(asked.analyzer) : NULL);
    }
    assert_int_equal(stream_verdict(&asked, "/r3", &often), LEAK_VERDICT_leak);
    assert_int_equal(stream_verdict(&left_alone, "/r3", &once), LEAK_VERDICT_leak);
    assert_int_equal(once.flagged_at, often.flagged_at);
    assert_true(once.bytes_per_request == often.bytes_per_request);
    stream_release(&asked);
    stream_release(&left_alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_route_that_keeps_the_same_bytes_is_a_leak_and_no_other_is),
        cmocka_unit_test(test_a_leak_is_not_claimed_before_its_workers_are_old),
        cmocka_unit_test(test_growth_of_young_workers_is_warm_up),
        cmocka_unit_test(test_where_nothing_stays_the_verdict_is_clean),
        cmocka_unit_test(test_a_route_seen_a_few_times_is_insufficient),
        cmocka_unit_test(test_what_the_next_request_frees_is_a_delayed_free),
        cmocka_unit_test(test_a_clean_up_at_every_hundredth_request_is_periodic),
        cmocka_unit_test(test_a_full_cache_is_not_a_leak_though_one_route_only_fills_it),
        cmocka_unit_test(test_one_large_block_in_each_worker_is_a_one_off),
        cmocka_unit_test(test_what_every_route_keeps_is_charged_to_all_and_the_rest_to_its_route),
        cmocka_unit_test(test_a_leak_on_one_hit_in_ten_shows_by_its_size),
        cmocka_unit_test(test_a_leak_of_failed_requests_only_is_found_on_them),
        cmocka_unit_test(test_a_mapping_that_stays_is_a_leak_among_chunks_that_come_and_go),
        cmocka_unit_test(test_a_deploy_that_warms_up_the_whole_pool_again_is_nobodys_fault),
        cmocka_unit_test(test_survivors_of_one_stack_confirm_and_name_it),
        cmocka_unit_test(test_one_sample_as_large_as_what_a_route_leaves_names_its_stack),
        cmocka_unit_test(test_rare_blocks_that_all_survive_are_a_leak),
        cmocka_unit_test(test_small_odd_sizes_under_noise_that_nothing_released_are_a_leak),
        cmocka_unit_test(test_the_same_size_on_two_hits_in_five_is_what_the_route_leaks),
        cmocka_unit_test(test_survivors_in_the_hands_of_all_routes_blame_none),
        cmocka_unit_test(test_leaks_show_in_workers_that_crash_young),
        cmocka_unit_test(test_two_leaks_in_a_single_interval_between_floors_are_both_leaks),
        cmocka_unit_test(test_what_nobody_saw_released_is_neither_a_cache_nor_periodic),
        cmocka_unit_test(test_asking_for_verdicts_changes_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
