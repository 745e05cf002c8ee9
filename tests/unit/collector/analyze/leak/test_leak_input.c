/* test_leak_input.c - the leak analysis under hostile, broken and endless input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/collector/analyze/leak/leak_stream.h"

static struct leak_coverage coverage_of(struct stream *stream)
{
    struct leak_report *report = leak_verdicts(stream->analyzer);
    const struct leak_coverage coverage = report->coverage;

    leak_report_free(report);
    return coverage;
}

/* A request of worker 0 with numbers of one's own. */
static void raw_request(struct stream *stream, int64_t ts_us, int64_t seq, int64_t live0,
                        int64_t live1)
{
    const struct event event = {.kind = EVENT_req,
                                .has = STREAM_HAS(ts_us) | STREAM_HAS(pid) | STREAM_HAS(seq) |
                                       STREAM_HAS(uri) | STREAM_HAS(live0_bytes) |
                                       STREAM_HAS(live1_bytes),
                                .ts_us = ts_us,
                                .pid = 7,
                                .seq = seq,
                                .uri = SLICE("/x"),
                                .live0_bytes = live0,
                                .live1_bytes = live1};

    leak_feed(stream->analyzer, &event);
}

static void test_a_seq_that_goes_back_with_time_going_on_is_a_new_life(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    for (int life = 0; life < 3; life++)
        for (int64_t seq = 1; seq <= 300; seq++)
            raw_request(&stream, 1000 * (life * 300 + seq), seq, 1000 * seq, 1000 * seq + 1000);
    assert_int_equal(stream_verdict(&stream, "/x", &route), LEAK_VERDICT_leak);
    assert_int_equal(route.workers, 3);
    assert_int_equal(coverage_of(&stream).late_requests, 0);
    stream_release(&stream);
}

static void test_lines_out_of_order_and_repeated_are_counted_and_left_out(void **state)
{
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    for (int64_t seq = 2; seq <= 200; seq++) {
        raw_request(&stream, 1000 * seq, seq, 5000, 5000);
        raw_request(&stream, 1000 * seq, seq, 5000, 5000);
        if (seq > 2)
            raw_request(&stream, 1000 * seq - 1000, seq - 1, 5000, 900000);
    }
    assert_int_equal(coverage_of(&stream).late_requests, 199 + 198);
    assert_int_equal(stream_alarms(&stream), 0);
    stream_release(&stream);
}

static void test_growth_between_requests_is_charged_to_no_route(void **state)
{
    struct stream stream;
    int64_t live = 1000000;

    (void) state;
    stream_init(&stream, 0);
    for (int64_t seq = 1; seq <= 4000; seq += 2) { /* every other message is lost */
        live += 500;
        raw_request(&stream, 1000 * seq, seq, live, live);
    }
    assert_int_equal(coverage_of(&stream).missed_requests, 1999);
    assert_int_equal(stream_alarms(&stream), 0);
    stream_release(&stream);
}

static void test_one_message_in_twenty_lost_hides_no_leak(void **state)
{
    struct stream stream;
    int64_t live = 1000000;

    (void) state;
    stream_init(&stream, 0);
    for (int64_t seq = 1; seq <= 1000; seq++) {
        if (stream_random(&stream, 20) > 0)
            raw_request(&stream, 1000 * seq, seq, live, live + 700);
        live += 700;
    }
    assert_int_equal(stream_verdict(&stream, "/x", NULL), LEAK_VERDICT_leak);
    stream_release(&stream);
}

static void test_impossible_numbers_are_counted_and_believed_by_nobody(void **state)
{
    static const int64_t absurd[] = {INT64_MAX, INT64_MIN, INT64_MAX / 2, -INT64_MAX / 3};
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    for (int64_t seq = 1; seq <= 1000; seq++) {
        const int64_t live0 = absurd[seq % 4], live1 = absurd[seq / 4 % 4];

        raw_request(&stream, INT64_MAX - 1000 + seq, seq, live0, live1);
    }
    assert_int_equal(coverage_of(&stream).absurd_requests, 1000);
    assert_int_equal(stream_alarms(&stream), 0);
    stream_release(&stream);
}

static void test_an_exit_that_comes_late_does_not_end_the_next_life_of_its_pid(void **state)
{
    struct event event = {.kind = EVENT_req,
                          .has = STREAM_HAS(pid) | STREAM_HAS(seq) | STREAM_HAS(uri) |
                                 STREAM_HAS(start_ticks) | STREAM_HAS(ts_us) |
                                 STREAM_HAS(live0_bytes) | STREAM_HAS(live1_bytes),
                          .pid = 7,
                          .uri = SLICE("/x"),
                          .start_ticks = 200};
    struct event exit = {.kind = EVENT_exit,
                         .has = STREAM_HAS(pid) | STREAM_HAS(start_ticks),
                         .pid = 7,
                         .start_ticks = 100};
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    for (event.seq = 1; event.seq <= 300; event.seq++) {
        event.ts_us += 1000;
        event.live1_bytes = event.live0_bytes + 100;
        leak_feed(stream.analyzer, &event);
        event.live0_bytes = event.live1_bytes;
        leak_feed(stream.analyzer, &exit);
    }
    assert_int_equal(stream_verdict(&stream, "/x", &route), LEAK_VERDICT_leak);
    assert_int_equal(route.workers, 1);
    stream_release(&stream);
}

static void test_a_million_routes_push_each_other_out_and_leave_the_busy_ones(void **state)
{
    enum { MILLION = 1000000 };
    struct stream stream;
    size_t bytes;
    char uri[32];

    (void) state;
    stream_init(&stream, 0);
    for (unsigned i = 0; i < 30000; i++)
        stream_request(&stream, (int) stream_random(&stream, 4), stream_route(i % 20),
                       i % 20 == 3 ? 512 : 0, 0);
    bytes = leak_analyzer_bytes(stream.analyzer);
    for (unsigned i = 0; i < MILLION; i++) {
        snprintf(uri, sizeof uri, "/scan/%u", i);
        stream_request(&stream, (int) stream_random(&stream, 4), uri, 0, 0);
        if (i % 8 == 0)
            stream_request(&stream, (int) stream_random(&stream, 4), stream_route(i / 8 % 20),
                           i / 8 % 20 == 3 ? 512 : 0, 0);
    }
    assert_int_equal(coverage_of(&stream).evicted_routes, MILLION + 20 - 256);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 1);
    assert_true(leak_analyzer_bytes(stream.analyzer) < bytes + 300000);
    stream_release(&stream);
}

static void test_more_workers_than_places_push_out_the_silent_ones(void **state)
{
    const struct leak_options options = {.max_workers = 8};
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    leak_analyzer_free(stream.analyzer);
    stream.analyzer = leak_analyzer_new(&options);
    for (unsigned i = 0; i < 20000; i++)
        stream_request(&stream, (int) stream_random(&stream, 12), "/x", 100, 0);
    assert_true(coverage_of(&stream).evicted_workers > 0);
    stream_release(&stream);
}

static void test_256_routes_and_32_workers_fit_in_two_mebibytes(void **state)
{
    const struct leak_options options = {.max_routes = 256, .max_workers = 32};
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    leak_analyzer_free(stream.analyzer);
    stream.analyzer = leak_analyzer_new(&options);
    for (unsigned i = 0; i < 200000; i++) {
        const int worker = (int) stream_random(&stream, 32);

        stream_request(&stream, worker, stream_route(stream_random(&stream, 256)), 0, 0);
        if (stream_random(&stream, 8) == 0)
            stream_sample(&stream, worker, 4096, 1 + stream_random(&stream, 40));
    }
    print_message("leak analyzer: %zu bytes\n", leak_analyzer_bytes(stream.analyzer));
    assert_true(leak_analyzer_bytes(stream.analyzer) < 2u << 20);
    stream_release(&stream);
}

static void test_samples_of_unknown_requests_and_frees_of_unknown_blocks_are_counted(void **state)
{
    struct stream stream;
    int64_t id;

    (void) state;
    stream_init(&stream, 0);
    stream_request(&stream, 0, "/x", 0, 0);
    id = stream_sample(&stream, 0, 100, 1);
    stream_free(&stream, 0, id + 1);
    stream_free(&stream, 0, id);
    stream_free(&stream, 0, id);
    stream_sample(&stream, 0, -5, 1);
    stream_sample(&stream, 0, INT64_MAX, 1);
    stream.workers[0].seq++;
    stream_sample(&stream, 0, 100, 1);
    assert_int_equal(coverage_of(&stream).orphan_samples, 5);
    stream_release(&stream);
}

/* Buffers that are resized, caches that replace, frees that come late, workers that come and go. */
static int64_t noise(struct stream *stream, int64_t *owed, int64_t seq)
{
    int64_t left = -*owed;

    *owed = 0;
    if (stream_random(stream, 100) < 6)
        left += (int64_t) stream_random(stream, 20001) - 10000;
    if (stream_random(stream, 10) == 0) {
        *owed = 1000 + stream_random(stream, 9000);
        left += *owed;
    }
    return left + (seq < 30 ? 90000 / seq : 0);
}

static void test_a_million_clean_requests_raise_no_alarm(void **state)
{
    enum { MILLION = 1000000 };
    int64_t owed[16] = {0};
    struct leak_report *report;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    for (unsigned i = 0; i < MILLION; i++) {
        const unsigned a = stream_random(&stream, 40), b = stream_random(&stream, 40);
        const int worker = (int) stream_random(&stream, 16);
        const bool fresh = stream.workers[worker].pid == 0;

        owed[worker] = fresh ? 0 : owed[worker];
        stream_request(&stream, worker, stream_route(a < b ? a : b),
                       noise(&stream, &owed[worker], fresh ? 1 : stream.workers[worker].seq + 1),
                       0);
    }
    report = leak_verdicts(stream.analyzer);
    for (size_t i = 0; i < report->route_count; i++) {
        assert_int_not_equal(report->routes[i].verdict, LEAK_VERDICT_leak);
        assert_int_equal(report->routes[i].flagged_at, -1);
    }
    leak_report_free(report);
    stream_release(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_seq_that_goes_back_with_time_going_on_is_a_new_life),
        cmocka_unit_test(test_lines_out_of_order_and_repeated_are_counted_and_left_out),
        cmocka_unit_test(test_growth_between_requests_is_charged_to_no_route),
        cmocka_unit_test(test_one_message_in_twenty_lost_hides_no_leak),
        cmocka_unit_test(test_impossible_numbers_are_counted_and_believed_by_nobody),
        cmocka_unit_test(test_an_exit_that_comes_late_does_not_end_the_next_life_of_its_pid),
        cmocka_unit_test(test_a_million_routes_push_each_other_out_and_leave_the_busy_ones),
        cmocka_unit_test(test_more_workers_than_places_push_out_the_silent_ones),
        cmocka_unit_test(test_256_routes_and_32_workers_fit_in_two_mebibytes),
        cmocka_unit_test(test_samples_of_unknown_requests_and_frees_of_unknown_blocks_are_counted),
        cmocka_unit_test(test_a_million_clean_requests_raise_no_alarm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
