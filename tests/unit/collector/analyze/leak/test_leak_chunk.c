/* test_leak_chunk.c - arenas: a chunk now and then, paid by whoever finds the last one full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/collector/analyze/leak/leak_stream.h"

enum { WORKERS = 4, ROUTES = 10, CHUNK = 32768, NEEDED = 600 };

/* Each hit of /r3 leaves 900 bytes of its worker's chunk; /r5 to /r7 need some room for a while,
 * and take the next chunk when there is none. */
static void serve_an_arena(struct stream *stream, unsigned requests)
{
    int64_t room[WORKERS] = {0};

    stream_init(stream, 0);
    for (unsigned i = 0; i < requests; i++) {
        const unsigned route = stream_random(stream, ROUTES), dice = stream_random(stream, 60);
        const int worker = (int) stream_random(stream, WORKERS);
        const int64_t needed = route == 3 ? 900 : route >= 5 && route <= 7 ? NEEDED : 0;
        const int64_t taken = room[worker] < needed ? CHUNK : 0;
        const int64_t noise = dice == 0 ? 16 * (int64_t) stream_random(stream, 600) : 0;

        room[worker] += taken - (route == 3 ? 900 : 0);
        stream_request(stream, worker, stream_route(route), taken + noise, 0);
    }
}

static void test_the_route_that_fills_the_chunks_is_blamed_and_those_that_pay_are_not(void **state)
{
    struct leak_route route;
    struct stream stream;

    (void) state;
    serve_an_arena(&stream, 9000);
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 1);
    assert_true(route.bytes_per_request > 800 && route.bytes_per_request < 1000);
    stream_release(&stream);
}

/* Any hit takes a chunk, by chance: all routes' counts are as irregular. */
static int64_t by_chance(struct stream *stream, int worker, unsigned route, unsigned i)
{
    (void) worker, (void) route, (void) i;
    return stream_random(stream, 60) == 0 ? CHUNK : 0;
}

static void test_chunks_that_come_by_chance_blame_no_route(void **state)
{
    struct stream stream;

    (void) state;
    stream_serve_new(&stream, 0, 9000, by_chance);
    for (unsigned route = 0; route < ROUTES; route++) {
        struct leak_route found = {0};

        stream_verdict(&stream, stream_route(route), &found);
        assert_null(strstr(found.evidence.because ? found.evidence.because : "", "chunk"));
    }
    stream_release(&stream);
}

/* Every worker serves the routes in turn: all are as regular, and none can be told. */
static void test_routes_that_come_in_turn_are_not_told_apart(void **state)
{
    struct stream stream;
    int64_t room = 0;

    (void) state;
    stream_init(&stream, 0);
    for (unsigned i = 0; i < 9000; i++) {
        const unsigned route = i % ROUTES;
        int64_t taken = 0;

        if (route == 3)
            room -= 900;
        if (room < 0 && route == 6) {
            taken = CHUNK;
            room += taken;
        }
        stream_request(&stream, 0, stream_route(route), taken, 0);
    }
    assert_int_not_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_leak);
    stream_release(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_route_that_fills_the_chunks_is_blamed_and_those_that_pay_are_not),
        cmocka_unit_test(test_chunks_that_come_by_chance_blame_no_route),
        cmocka_unit_test(test_routes_that_come_in_turn_are_not_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
