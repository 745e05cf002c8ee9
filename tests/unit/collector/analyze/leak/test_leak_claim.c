/* test_leak_claim.c - leaks that do not leave the same bytes after every request: rare, odd, on
 * errors, mapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/collector/analyze/leak/leak_stream.h"

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
    stream_serve_new(&stream, 500, 9000, now_and_then_the_same);
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
    stream_serve_new(&stream, 500, 1000, small_and_odd_under_noise);
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
    stream_serve_new(&stream, 500, 4000, steady_under_its_own_noise);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

/* Route 5 gives back what it took when its worker was young: more than all that leaks later. */
static int64_t steady_while_floors_sink(struct stream *stream, int worker, unsigned route,
                                        unsigned i)
{
    static int64_t held[STREAM_WORKERS];
    const int64_t seq = stream_next_seq(stream, worker), before = held[worker];

    (void) i;
    if (route != 5)
        return route == 3 ? 1024 : 0;
    held[worker] = seq < 90 ? 90000 : 0;
    return held[worker] - (seq < 20 ? 0 : before);
}

static void test_exact_sizes_are_a_leak_though_others_make_the_floors_sink(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 6000, steady_while_floors_sink);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

/* Route 3 leaves small odd blocks, and resizes one large buffer of its own now and then. */
static int64_t small_beside_a_large_buffer(struct stream *stream, int worker, unsigned route,
                                           unsigned i)
{
    static int64_t buffer[STREAM_WORKERS];
    const int64_t before = stream_next_seq(stream, worker) == 1 ? 0 : buffer[worker];

    (void) i;
    buffer[worker] = before;
    if (route != 3)
        return 0;
    if (stream_random(stream, 40) == 0)
        buffer[worker] = 8 * (int64_t) stream_random(stream, 1000);
    return 300 + stream_random(stream, 600) + buffer[worker] - before;
}

static void test_a_buffer_that_is_resized_does_not_speak_for_the_blocks_that_stay(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 4000, small_beside_a_large_buffer);
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_leak);
    stream_release(&stream);
}

static int64_t from_the_2000th_on(struct stream *stream, int worker, unsigned route, unsigned i)
{
    (void) stream, (void) worker;
    return route == 3 && i >= 2000 ? 4000 : 0;
}

static void test_the_bytes_and_the_time_of_a_leak_that_began_late_are_those_of_now(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 4000, from_the_2000th_on);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.bytes_per_request > 3900 && route.bytes_per_request < 4100);
    assert_true(route.flagged_at > 2000 && route.flagged_at < 3000);
    /* A request takes a millisecond; only old workers can tell. */
    assert_true(route.began_us > 2000 * 1000 && route.began_us < 3000 * 1000);
    assert_true(route.first_seen_us < 100 * 1000);
    stream_release(&stream);
}

/* One that always leaks, and one that leaks every other time, on one page. */
static int64_t two_leaks_of_one_route(struct stream *stream, int worker, unsigned route, unsigned i)
{
    (void) worker, (void) i;
    return route == 3 ? 1000 + (stream_random(stream, 2) == 0 ? 3000 : 0) : 0;
}

static void test_two_leaks_on_one_route_are_one_of_their_sum(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 6000, two_leaks_of_one_route);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.bytes_per_request > 2250 && route.bytes_per_request < 2750);
    stream_release(&stream);
}

/* Two hits in five leave 1200 bytes, and buffers of the others that shrink give back more, often.
 */
static int64_t often_the_same_under_noise(struct stream *stream, int worker, unsigned route,
                                          unsigned i)
{
    static int64_t buffers[STREAM_WORKERS];
    const int64_t before = stream_next_seq(stream, worker) == 1 ? 0 : buffers[worker];

    (void) i;
    buffers[worker] =
        stream_random(stream, 12) == 0 ? 16 * (int64_t) stream_random(stream, 1000) : before;
    return buffers[worker] - before + (route == 3 && stream_random(stream, 5) < 2 ? 1200 : 0);
}

static void test_one_size_on_many_hits_is_a_leak_though_larger_releases_follow(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 500, 6000, often_the_same_under_noise);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.evidence.sparse);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_leak_on_one_hit_in_ten_shows_by_its_size),
        cmocka_unit_test(test_a_leak_of_failed_requests_only_is_found_on_them),
        cmocka_unit_test(test_a_mapping_that_stays_is_a_leak_among_chunks_that_come_and_go),
        cmocka_unit_test(test_small_odd_sizes_under_noise_that_nothing_released_are_a_leak),
        cmocka_unit_test(test_the_same_size_on_two_hits_in_five_is_what_the_route_leaks),
        cmocka_unit_test(test_exact_sizes_are_a_leak_though_others_make_the_floors_sink),
        cmocka_unit_test(test_a_buffer_that_is_resized_does_not_speak_for_the_blocks_that_stay),
        cmocka_unit_test(test_the_bytes_and_the_time_of_a_leak_that_began_late_are_those_of_now),
        cmocka_unit_test(test_two_leaks_on_one_route_are_one_of_their_sum),
        cmocka_unit_test(test_one_size_on_many_hits_is_a_leak_though_larger_releases_follow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
