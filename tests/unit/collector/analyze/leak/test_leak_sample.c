/* test_leak_sample.c - sampled blocks that survive: they confirm, and name the stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/collector/analyze/leak/leak_stream.h"

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

/* Nine large blocks in all, three in each of three old workers, and their floors drown. */
static void serve_nine_blocks(struct stream *stream, int64_t freed_after)
{
    int64_t held[4] = {0}, born[4] = {0};

    stream_init(stream, 0);
    for (unsigned i = 0; i < 4000; i++) {
        const int worker = (int) (i % 4);
        const int64_t seq = stream_next_seq(stream, worker);
        const bool leaks = worker < 3 && seq >= 150 && seq % 100 == 0 && seq <= 700;
        const unsigned route = leaks ? 3 : stream_random(stream, 10);
        int64_t left = leaks ? 90000 : 9 * ((int64_t) stream_random(stream, 8000) - 4000);

        if (held[worker] != 0 && seq - born[worker] == freed_after) {
            left -= 90000;
            stream_request(stream, worker, stream_route(route), left, 0);
            stream_free(stream, worker, held[worker]);
            held[worker] = 0;
            continue;
        }
        stream_request(stream, worker, stream_route(route), left, 0);
        if (leaks) {
            held[worker] = stream_sample(stream, worker, 90000, 77);
            born[worker] = seq;
        }
    }
}

static size_t proven_stacks(int64_t freed_after)
{
    struct leak_report *report;
    struct stream stream;
    size_t stacks;

    serve_nine_blocks(&stream, freed_after);
    report = leak_verdicts(stream.analyzer);
    stacks = report->stack_count;
    leak_report_free(report);
    stream_release(&stream);
    return stacks;
}

static void test_few_survivors_prove_a_leak_when_they_live_long_enough(void **state)
{
    (void) state;
    assert_int_equal(proven_stacks(INT64_MAX), 1);
    assert_int_equal(proven_stacks(60), 0);
}

/* Route 3 fills a persistent table: 504 bytes each, and now and then the table is replaced by one
 * of twice the size in the same request.  Only tables happen to be sampled. */
static void test_a_table_that_doubles_frees_its_old_half_and_is_a_leak_all_the_same(void **state)
{
    int64_t entries[4] = {0}, table[4] = {0}, old[4] = {0};
    struct leak_route route;
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    for (unsigned i = 0; i < 6000; i++) {
        const unsigned number = stream_random(&stream, 10);
        const int worker = (int) stream_random(&stream, 4);
        const bool doubles = number == 3 && ++entries[worker] % 20 == 0;

        stream_request(&stream, worker, stream_route(number),
                       number == 3 ? 504 + (doubles ? 640 : 0) : 0, 0);
        if (!doubles)
            continue;
        old[worker] = table[worker];
        table[worker] = stream_sample(&stream, worker, 32 * entries[worker], 5);
        if (old[worker] > 0)
            stream_free(&stream, worker, old[worker]);
    }
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_true(route.bytes_per_request >= 504 && route.bytes_per_request < 560);
    stream_release(&stream);
}

/* Route 3 leaves 4,096 bytes at one stack, of which the next request of its worker frees 3,072. */
static void test_what_is_left_of_a_group_that_shrank_is_what_leaks(void **state)
{
    const double chance = 0.0605869; /* 1 - exp(-4096 / 65536), as a stream's samples are read */
    int64_t groups[4] = {0};
    struct leak_report *report;
    struct leak_route route;
    struct stream stream;
    unsigned hits = 0;

    (void) state;
    stream_init(&stream, 0);
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned number = stream_random(&stream, 10);
        const int worker = (int) stream_random(&stream, 4);
        const int64_t released = groups[worker] != 0 ? 3072 : 0;

        stream_request(&stream, worker, stream_route(number), (number == 3 ? 4096 : 0) - released,
                       0);
        if (groups[worker] != 0)
            stream_shrink(&stream, worker, groups[worker], 3072);
        groups[worker] = number == 3 ? stream_sample(&stream, worker, 4096, 6) : 0;
        hits += number == 3;
    }
    assert_int_equal(stream_verdict(&stream, "/r3", &route), LEAK_VERDICT_leak);
    assert_int_equal(route.stacks[0], 6);
    report = leak_verdicts(stream.analyzer);
    assert_int_equal(report->stack_count, 1);
    assert_true(report->stacks[0].bytes * chance >= 1023.0 * hits);
    assert_true(report->stacks[0].bytes * chance <= 1025.0 * hits + 4 * 3072);
    leak_report_free(report);
    stream_release(&stream);
}

/* Every hit of /r3 replaces the oldest of eight entries, and leaves 72 bytes besides; buffers of
 * the other routes are resized. */
static void test_entries_of_a_cache_that_go_do_not_excuse_bytes_that_stay(void **state)
{
    int64_t entries[4][8] = {{0}};
    unsigned oldest[4] = {0};
    struct stream stream;

    (void) state;
    stream_init(&stream, 0);
    for (unsigned i = 0; i < 6000; i++) {
        const unsigned number = stream_random(&stream, 10), dice = stream_random(&stream, 30);
        const int worker = (int) stream_random(&stream, 4);
        int64_t *entry = &entries[worker][oldest[worker] % 8];
        int64_t left = dice == 0 ? 4000 : dice == 1 ? -4000 : 0;

        if (number == 3)
            left = oldest[worker] < 8 ? 9072 : 72;
        stream_request(&stream, worker, stream_route(number), left, 0);
        if (number != 3)
            continue;
        if (*entry > 0)
            stream_free(&stream, worker, *entry);
        *entry = stream_random(&stream, 8) == 0 ? stream_sample(&stream, worker, 9000, 5) : 0;
        oldest[worker]++;
    }
    assert_int_equal(stream_verdict(&stream, "/r3", NULL), LEAK_VERDICT_leak);
    assert_int_equal(stream_alarms(&stream), 1);
    stream_release(&stream);
}

/* In exact mode every hit of a leak leaves a survivor, and there is room for 4,096 of them. */
static void test_survivors_that_have_said_all_make_room_and_what_they_hold_stays(void **state)
{
    const double chance = 0.0605869;
    struct leak_report *report;
    struct stream stream;
    unsigned hits = 0;

    (void) state;
    stream_init(&stream, 0);
    for (unsigned i = 0; i < 24000; i++) {
        const unsigned number = stream_random(&stream, 3);
        const int worker = (int) stream_random(&stream, 4);

        stream_request(&stream, worker, stream_route(number), number == 1 ? 4096 : 0, 0);
        if (number != 1)
            continue;
        stream_sample(&stream, worker, 4096, 6);
        hits++;
    }
    report = leak_verdicts(stream.analyzer);
    assert_int_equal(report->coverage.refused_blocks, 0);
    assert_int_equal(report->stack_count, 1);
    assert_true(report->stacks[0].bytes * chance >= 4092.0 * hits);
    assert_true(report->stacks[0].bytes * chance <= 4100.0 * hits);
    leak_report_free(report);
    stream_release(&stream);
}

static void test_a_block_that_every_worker_keeps_twice_is_no_leak(void **state)
{
    unsigned kept[4] = {0};
    struct stream stream;

    (void) state;
    stream_init(&stream, 200);
    stream.life = 0; /* a sample belongs to the request: end the life by hand, after it */
    for (unsigned i = 0; i < 12000; i++) {
        const unsigned number = stream_random(&stream, 8);
        const int worker = (int) stream_random(&stream, 4);
        const bool keeps = number == 3 && kept[worker] < 2 && stream_random(&stream, 20) == 0;

        stream_request(&stream, worker, stream_route(number), keeps ? 200000 : 0, 0);
        kept[worker] += keeps;
        if (keeps)
            stream_sample(&stream, worker, 200000, 6);
        if (stream.workers[worker].seq < 200)
            continue;
        stream_end(&stream, worker);
        kept[worker] = 0;
    }
    assert_int_equal(stream_alarms(&stream), 0);
    stream_release(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_survivors_of_one_stack_confirm_and_name_it),
        cmocka_unit_test(test_one_sample_as_large_as_what_a_route_leaves_names_its_stack),
        cmocka_unit_test(test_rare_blocks_that_all_survive_are_a_leak),
        cmocka_unit_test(test_survivors_in_the_hands_of_all_routes_blame_none),
        cmocka_unit_test(test_few_survivors_prove_a_leak_when_they_live_long_enough),
        cmocka_unit_test(test_a_table_that_doubles_frees_its_old_half_and_is_a_leak_all_the_same),
        cmocka_unit_test(test_what_is_left_of_a_group_that_shrank_is_what_leaks),
        cmocka_unit_test(test_survivors_that_have_said_all_make_room_and_what_they_hold_stays),
        cmocka_unit_test(test_entries_of_a_cache_that_go_do_not_excuse_bytes_that_stay),
        cmocka_unit_test(test_a_block_that_every_worker_keeps_twice_is_no_leak),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
