/* test_leak.c - each verdict of a leak, by one example: who is charged, since when, and that asking
 * is free. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/collector/analyze/leak/leak_stream.h"

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
    stream_serve_new(&stream, 500, 4000, one_kib_of_route_3);
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
    stream_serve_new(&stream, 500, 200, one_kib_of_route_3);
    assert_int_equal(stream_alarms(&stream), 0);
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
    stream_serve_new(&stream, 500, 5000, every_route_keeps_300);
    assert_int_equal(stream_verdict(&stream, "*", &route), LEAK_VERDICT_leak);
    assert_true(route.bytes_per_request == 300);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.bytes_per_request == 1000);
    assert_int_equal(stream_verdict(&stream, "/r1", NULL), LEAK_VERDICT_shared_growth);
    assert_int_equal(stream_alarms(&stream), 2);
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
        const int64_t seq = stream_next_seq(&stream, worker);
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

static void test_asking_for_verdicts_changes_none(void **state)
{
    struct leak_route once, often;
    struct stream asked, left_alone;

    (void) state;
    stream_init(&asked, 500);
    stream_init(&left_alone, 500);
    for (unsigned i = 0; i < 30; i++) {
        stream_serve(&asked, 100, one_kib_of_route_3);
        stream_serve(&left_alone, 100, one_kib_of_route_3);
        leak_report_free(i < 5 ? leak_verdicts(asked.analyzer) : NULL);
    }
    assert_int_equal(stream_verdict(&asked, "/r3", &often), LEAK_VERDICT_leak);
    assert_int_equal(stream_verdict(&left_alone, "/r3", &once), LEAK_VERDICT_leak);
    assert_int_equal(once.flagged_at, often.flagged_at);
    assert_true(once.bytes_per_request == often.bytes_per_request);
    stream_release(&asked);
    stream_release(&left_alone);
}

/* Failed requests keep no more than others do: what every request keeps is not of the errors. */
static void test_errors_under_what_every_route_keeps_are_not_a_leak_of_their_own(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    for (unsigned i = 0; i < 6000; i++) {
        stream.status = stream_random(&stream, 5) == 0 ? 500 : 200;
        stream_request(&stream, (int) stream_random(&stream, 4),
                       stream_route(stream_random(&stream, 10)), 300, 0);
    }
    assert_int_equal(stream_verdict(&stream, "*", &route), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

/* A hundred rare pages beside ten: hardly any of them is ever hit in an old worker. */
static void serve_many_routes(struct stream *stream, unsigned requests, int64_t from_all,
                              int64_t from_some)
{
    for (unsigned i = 0; i < requests; i++) {
        const unsigned route = stream_random(stream, 3) > 0 ? stream_random(stream, 6)
                                                            : 6 + stream_random(stream, 100);

        stream_request(stream, (int) stream_random(stream, 4), stream_route(route),
                       from_all + (route > 0 && route < 6 ? from_some : 0), 0);
    }
}

static void test_a_leak_of_every_request_shows_among_many_rare_routes(void **state)
{
    struct stream stream;

    (void) state;
    stream_init(&stream, 50);
    serve_many_routes(&stream, 3000, 500, 0);
    assert_int_equal(stream_verdict(&stream, "*", NULL), LEAK_VERDICT_leak);
    stream_release(&stream);
}

static void test_leaks_of_most_busy_routes_are_not_charged_to_all(void **state)
{
    struct stream stream;

    (void) state;
    stream_init(&stream, 500);
    serve_many_routes(&stream, 6000, 0, 500);
    assert_int_equal(stream_verdict(&stream, "*", NULL), LEAK_VERDICT_COUNT);
    assert_int_equal(stream_alarms(&stream), 5);
    stream_release(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_route_that_keeps_the_same_bytes_is_a_leak_and_no_other_is),
        cmocka_unit_test(test_a_leak_is_not_claimed_before_its_workers_are_old),
        cmocka_unit_test(test_what_every_route_keeps_is_charged_to_all_and_the_rest_to_its_route),
        cmocka_unit_test(test_leaks_show_in_workers_that_crash_young),
        cmocka_unit_test(test_two_leaks_in_a_single_interval_between_floors_are_both_leaks),
        cmocka_unit_test(test_asking_for_verdicts_changes_none),
        cmocka_unit_test(test_errors_under_what_every_route_keeps_are_not_a_leak_of_their_own),
        cmocka_unit_test(test_a_leak_of_every_request_shows_among_many_rare_routes),
        cmocka_unit_test(test_leaks_of_most_busy_routes_are_not_charged_to_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
