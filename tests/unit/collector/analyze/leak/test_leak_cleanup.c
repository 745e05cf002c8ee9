/* test_leak_cleanup.c - small odd growth under noise: a leak, or collected until somebody frees all
 * of it?  The sum tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/collector/analyze/leak/leak_stream.h"

enum { WORKERS = 4, ROUTES = 10, PERIOD = 40, BUFFER_MAX = 16000 };

/* What the workers hold: buffers that are resized, and what routes 3 to 3 + collectors - 1 left. */
struct pool {
    struct stream stream;
    int64_t buffer[WORKERS], collected[WORKERS];
};

static int64_t resize(struct pool *pool, int worker)
{
    const int64_t before = pool->buffer[worker];

    if (stream_random(&pool->stream, 30) > 0)
        return 0;
    pool->buffer[worker] = 16 * (int64_t) stream_random(&pool->stream, BUFFER_MAX / 16);
    return pool->buffer[worker] - before;
}

/* Each hit of a route that collects leaves 150 to 250 bytes, a third of that when three do; with
 * `cleans` every 40th request of a worker frees them all. */
static void serve(struct pool *pool, unsigned requests, unsigned collectors, bool cleans)
{
    *pool = (struct pool){0};
    stream_init(&pool->stream, 500);
    for (unsigned i = 0; i < requests; i++) {
        const int worker = (int) stream_random(&pool->stream, WORKERS);
        const unsigned route = stream_random(&pool->stream, ROUTES);
        int64_t delta = 0;

        if (pool->stream.workers[worker].pid == 0)
            pool->collected[worker] = pool->buffer[worker] = 0;
        if (cleans && pool->stream.workers[worker].seq % PERIOD == 0) {
            delta -= pool->collected[worker];
            pool->collected[worker] = 0;
        }
        if (route >= 3 && route < 3 + collectors) {
            const int64_t left = (150 + stream_random(&pool->stream, 100)) / collectors;

            delta += left;
            pool->collected[worker] += left;
        }
        stream_request(&pool->stream, worker, stream_route(route), delta + resize(pool, worker), 0);
    }
}

static void test_growth_that_no_release_is_the_sum_of_is_a_leak(void **state)
{
    struct pool pool;

    (void) state;
    serve(&pool, 4000, 1, false);
    assert_int_equal(stream_verdict(&pool.stream, "/r3", NULL), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&pool.stream), 1);
    stream_release(&pool.stream);
}

static void test_growth_of_one_route_that_a_clean_up_gives_back_is_none(void **state)
{
    struct pool pool;

    (void) state;
    serve(&pool, 4000, 1, true);
    assert_int_not_equal(stream_verdict(&pool.stream, "/r3", NULL), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&pool.stream), 0);
    stream_release(&pool.stream);
}

static void test_growth_of_three_routes_that_one_clean_up_gives_back_is_none(void **state)
{
    struct pool pool;

    (void) state;
    serve(&pool, 3000, 3, true);
    assert_int_equal(stream_alarms(&pool.stream), 0);
    stream_release(&pool.stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth_that_no_release_is_the_sum_of_is_a_leak),
        cmocka_unit_test(test_growth_of_one_route_that_a_clean_up_gives_back_is_none),
        cmocka_unit_test(test_growth_of_three_routes_that_one_clean_up_gives_back_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
