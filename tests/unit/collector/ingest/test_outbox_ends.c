/* test_outbox_ends.c - what a worker held when it died, or when the collector was another one. */
#include "unit/collector/ingest/outbox_stage.h"

static void test_what_a_dead_worker_held_comes_before_the_request_it_died_in(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, BUSY + 3, "/last");
    const char *begun;

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_request(stage, BUSY + 2);
    outbox.state |= outbox_bytes;
    page->outbox = outbox;
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    assert_int_equal(requests(stage), BUSY + 2);
    begun = stage_events(stage, STORE_KIND(beg));
    assert_int_equal(stage_count(begun, "\n"), BUSY + 3);
    assert_int_equal(stage_count(begun, "/last"), 1);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(end)), "\n"), 1);
}

static void test_a_dead_worker_does_not_repeat_what_it_sent_or_showed(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_show(stage); /* it was killed between sending and forgetting */
    outbox_send(stage);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    assert_int_equal(requests(stage), BUSY + 1);
    assert_int_equal(stage_counted(stage, "repeated_requests"), 0);
}

static void test_a_dead_workers_outbox_is_not_read_beyond_its_end(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/last");

    begin(stage);
    page->outbox = outbox;
    page->outbox.state |= UINT32_MAX;
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    ingest_ended(stage->ingest, stage->sender.pid, stage->sender.start_ticks, stage->now_us);
    assert_int_equal(stage_counted(stage, "damaged_outboxes"), 1);
}

/* A collector that was killed, and its successor. */
static void restart(struct stage *stage)
{
    assert_int_equal(store_flush(stage->store), 0);
    ingest_free(stage->ingest);
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
    assert_int_equal(ingest_resume(stage->ingest, stage->now_us), 0);
}

static void test_a_restarted_collector_repeats_neither_requests_nor_samples(void **state)
{
    struct stage *stage = *state;
    const struct wire_stack stack = {.id = 5, .php = stage_str("f\t\t/a.php:1\n")};
    const char *samples;

    begin(stage);
    outbox_add(WIRE_INDEX_STACK, &stack);
    outbox_add(WIRE_INDEX_FREED, &(struct wire_freed){.seq = BUSY, .id = 7});
    outbox_request(stage, BUSY + 1);
    outbox_add(WIRE_INDEX_SAMPLE, &(struct wire_sample){.seq = BUSY + 1, .id = 8, .stack = 5});
    outbox_show(stage);
    look(stage);
    restart(stage);
    outbox_request(stage, BUSY + 2);
    outbox_add(WIRE_INDEX_SAMPLE, &(struct wire_sample){.seq = BUSY + 2, .id = 9, .stack = 5});
    outbox_show(stage);
    ingest_scan(stage->ingest, stage->now_us);
    look(stage);
    assert_int_equal(requests(stage), BUSY + 2);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(fre)), "\n"), 1);
    samples = stage_events(stage, STORE_KIND(smp));
    assert_int_equal(stage_count(samples, "\n"), 2);
    assert_int_equal(stage_count(samples, "\"stk\":"), 2);
}

static void test_a_restarted_collector_takes_what_the_old_one_had_not(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_request(stage, BUSY + 2);
    outbox_show(stage);
    restart(stage);
    ingest_scan(stage->ingest, stage->now_us);
    assert_int_equal(requests(stage), BUSY + 2);
}

/* A worker sends what it held for the dead one over the new connection, before its page is read. */
static void test_a_packet_meant_for_the_dead_collector_tells_only_what_that_had_not(void **state)
{
    struct stage *stage = *state;
    const char *samples;

    begin(stage);
    outbox_add(WIRE_INDEX_STACK,
               &(struct wire_stack){.id = 5, .php = stage_str("f\t\t/a.php:1\n")});
    outbox_add(WIRE_INDEX_FREED, &(struct wire_freed){.seq = BUSY, .id = 7});
    outbox_request(stage, BUSY + 1);
    outbox_show(stage);
    look(stage);
    restart(stage);
    outbox_request(stage, BUSY + 2);
    outbox_add(WIRE_INDEX_SAMPLE, &(struct wire_sample){.seq = BUSY + 2, .id = 9, .stack = 5});
    stage_hello(stage, WIRE_ROLE_WORKER);
    outbox_send(stage);
    assert_int_equal(requests(stage), BUSY + 2);
    assert_int_equal(stage_counted(stage, "repeated_requests"), 0);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(fre)), "\n"), 1);
    samples = stage_events(stage, STORE_KIND(smp));
    assert_int_equal(stage_count(samples, "\n"), 1);
    assert_int_equal(stage_count(samples, "\"stk\":"), 1);
}

static void test_what_ended_before_the_store_was_searched_is_not_repeated(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_show(stage);
    look(stage);
    stage->now_us += INT64_C(7200) * 1000000;
    restart(stage);
    ingest_scan(stage->ingest, stage->now_us);
    assert_int_equal(requests(stage), BUSY + 1);
}

static void test_a_request_in_flight_does_not_hide_those_that_are_held(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, BUSY + 3, "/long");

    begin(stage);
    restart(stage);
    outbox_request(stage, BUSY + 1);
    outbox_request(stage, BUSY + 2);
    outbox.state |= outbox_bytes;
    page->outbox = outbox;
    page->hold_us = 100000;
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    ingest_scan(stage->ingest, stage->now_us);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(beg)), "\n"), BUSY + 3);
}

static void test_a_collector_that_ends_leaves_nobody_holding(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_show(stage);
    ingest_end_holds(stage->ingest, stage->now_us);
    assert_int_equal(requests(stage), BUSY + 1);
    assert_int_equal(hold_in_page(stage), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_what_a_dead_worker_held_comes_before_the_request_it_died_in),
        TEST(test_a_dead_worker_does_not_repeat_what_it_sent_or_showed),
        TEST(test_a_dead_workers_outbox_is_not_read_beyond_its_end),
        TEST(test_a_restarted_collector_repeats_neither_requests_nor_samples),
        TEST(test_a_restarted_collector_takes_what_the_old_one_had_not),
        TEST(test_a_packet_meant_for_the_dead_collector_tells_only_what_that_had_not),
        TEST(test_what_ended_before_the_store_was_searched_is_not_repeated),
        TEST(test_a_request_in_flight_does_not_hide_those_that_are_held),
        TEST(test_a_collector_that_ends_leaves_nobody_holding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
