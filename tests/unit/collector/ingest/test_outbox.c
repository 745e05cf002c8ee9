/* test_outbox.c - what busy workers hold in their pages is in the store once, in order, soon. */
#include "unit/collector/ingest/stage.h"

#include <errno.h>
#include <fcntl.h>

enum { BUSY = 30 };
static const int64_t quarter_us = 250000;

static struct recorder_outbox outbox; /* of the worker, which is this very test */
static size_t outbox_bytes;
static struct stage *drained;
static bool drain_ends = true;
static int drains;
static uint32_t later_generation; /* of a packet more that drain() finds, 0: none */

static void page_path(const struct stage *stage, char ret_path[192])
{
    char name[PAGE_NAME_BYTES];

    page_format_name(stage->sender.pid, stage->sender.start_ticks, name);
    snprintf(ret_path, 192, "%s/%s", stage->pages, name);
}

static void write_page_at(const struct stage *stage, size_t at, const void *bytes, size_t len_bytes)
{
    char path[192];

    page_path(stage, path);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len_bytes, (off_t) at), len_bytes);
    close(fd);
}

static uint64_t hold_in_page(const struct stage *stage)
{
    uint64_t hold_us = 0;
    char path[192];

    page_path(stage, path);
    int fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, &hold_us, sizeof hold_us, offsetof(struct recorder_page, hold_us)),
                     sizeof hold_us);
    close(fd);
    return hold_us;
}

static void outbox_add(size_t index, const void *message)
{
    size_t n = wire_encode(&wire_messages[index], message, outbox.bytes + outbox_bytes,
                           sizeof outbox.bytes - outbox_bytes);

    assert_true(n > 0);
    outbox_bytes += n;
}

static void outbox_begin(uint32_t generation)
{
    outbox.state = recorder_outbox_state(generation, 0);
    outbox_bytes = 0;
    outbox_add(WIRE_INDEX_PACKET, &(struct wire_packet){.generation = generation});
}

static void outbox_request(const struct stage *stage, uint64_t seq)
{
    const struct wire_request request = stage_request(stage, seq, "/held");

    outbox_add(WIRE_INDEX_REQUEST, &request);
}

/* What the worker does at a request's end. */
static void outbox_show(const struct stage *stage)
{
    outbox.state = (outbox.state & ~(uint64_t) UINT32_MAX) | outbox_bytes;
    write_page_at(stage, offsetof(struct recorder_page, outbox), &outbox, sizeof outbox);
}

/* And when it sends. */
static void outbox_send(struct stage *stage)
{
    memcpy(stage->packet, outbox.bytes, outbox_bytes);
    stage->length = outbox_bytes;
    stage_send(stage);
}

static void send_request(struct stage *stage, uint64_t seq)
{
    const struct wire_request request = stage_request(stage, seq, "/sent");

    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage_send(stage);
}

static void look(struct stage *stage)
{
    stage->now_us += quarter_us;
    ingest_look_at_outboxes(stage->ingest, stage->now_us);
}

static int requests(struct stage *stage)
{
    return stage_count(stage_events(stage, STORE_KIND(req)), "\n");
}

/* The worker with its page; the last request that it sent by itself is number BUSY. */
static void begin(struct stage *stage)
{
    struct recorder_page *page = stage_page(stage, 1, "/running");

    page->slots[1].phase = RECORDER_IDLE;
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    stage_hello(stage, WIRE_ROLE_WORKER);
    for (uint64_t seq = 1; seq <= BUSY; seq++)
        send_request(stage, seq);
    look(stage);
    outbox_begin(1000);
}

static bool drain(void *ctx, pid_t pid, uint64_t start_ticks)
{
    (void) ctx;
    assert_int_equal(pid, drained->sender.pid);
    assert_int_equal(start_ticks, drained->sender.start_ticks);
    drains++;
    if (drained->length > 0)
        stage_send(drained);
    if (later_generation) {
        stage_add(drained, WIRE_INDEX_PACKET,
                  &(struct wire_packet){.generation = later_generation});
        stage_send(drained);
    }
    return drain_ends;
}

static int setup_drained(void **state)
{
    int r = stage_setup(state);

    drained = *state;
    drains = 0;
    drain_ends = true;
    later_generation = 0;
    ingest_free(drained->ingest);
    drained->policy.drain = drain;
    assert_int_equal(ingest_new(drained->store, &drained->policy, &drained->ingest), 0);
    return r;
}

static void test_a_busy_worker_is_asked_to_hold_until_it_is_idle_for_a_minute(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    assert_int_equal(hold_in_page(stage), 100000);
    stage->now_us += 60 * 1000000 - quarter_us;
    look(stage);
    assert_int_equal(hold_in_page(stage), 100000);
    look(stage);
    assert_int_equal(hold_in_page(stage), 0);
}

static void test_a_quiet_worker_is_not_asked(void **state)
{
    struct stage *stage = *state;
    struct recorder_page *page = stage_page(stage, 1, "/running");

    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    stage_hello(stage, WIRE_ROLE_WORKER);
    for (uint64_t seq = 1; seq <= 48; seq++) {
        send_request(stage, seq);
        if (seq % 24 == 0)
            look(stage);
    }
    assert_int_equal(hold_in_page(stage), 0);
}

static void test_what_is_held_is_in_the_store_after_the_next_look(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_request(stage, BUSY + 2);
    outbox_show(stage);
    assert_int_equal(requests(stage), BUSY);
    look(stage);
    assert_int_equal(requests(stage), BUSY + 2);
    look(stage);
    assert_int_equal(requests(stage), BUSY + 2);
    outbox_request(stage, BUSY + 3);
    outbox_show(stage);
    look(stage);
    assert_int_equal(requests(stage), BUSY + 3);
}

static void test_a_packet_tells_only_what_was_not_read_in_the_page(void **state)
{
    struct stage *stage = *state;
    const struct wire_sample sample = {.seq = BUSY + 1, .id = 9, .size_bytes = 4096};

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_add(WIRE_INDEX_SAMPLE, &sample);
    outbox_show(stage);
    look(stage);
    outbox_request(stage, BUSY + 2);
    outbox_send(stage);
    assert_int_equal(requests(stage), BUSY + 2);
    assert_int_equal(stage_count(stage_events(stage, STORE_KIND(smp)), "\n"), 1);
    assert_int_equal(stage_counted(stage, "repeated_requests"), 0);
    assert_int_equal(stage_counted(stage, "missed_requests"), 0);
}

static void test_a_worker_that_sends_is_not_looked_at(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_send(stage);
    outbox_begin(1001);
    outbox_request(stage, BUSY + 2);
    outbox_show(stage);
    look(stage);
    assert_int_equal(drains, 0);
    assert_int_equal(requests(stage), BUSY + 1);
    look(stage);
    assert_int_equal(drains, 1);
    assert_int_equal(requests(stage), BUSY + 2);
}

static void test_a_packet_that_waits_in_the_socket_comes_before_the_outbox(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    outbox_request(stage, BUSY + 1);
    memcpy(stage->packet, outbox.bytes, outbox_bytes); /* drain() receives it */
    stage->length = outbox_bytes;
    outbox_begin(1001);
    outbox_request(stage, BUSY + 2);
    outbox_show(stage);
    look(stage);
    assert_int_equal(requests(stage), BUSY + 2);
    assert_int_equal(stage_counted(stage, "repeated_requests"), 0);
}

static void test_a_copy_whose_packet_has_come_meanwhile_is_not_taken(void **state)
{
    struct stage *stage = *state;

    for (int later = 0; later < 2; later++) {
        const uint64_t seq = (uint64_t) (BUSY + 1 + later);

        if (later == 0)
            begin(stage);
        else
            outbox_begin(2000);
        outbox_request(stage, seq);
        outbox_show(stage);
        memcpy(stage->packet, outbox.bytes, outbox_bytes);
        stage->length = outbox_bytes;
        later_generation = later ? 2001 : 0; /* and the next one, too */
        look(stage);
        look(stage);
        assert_int_equal(requests(stage), (int) seq);
        assert_int_equal(stage_counted(stage, "repeated_requests"), 0);
    }
}

static void test_while_the_socket_cannot_be_read_to_its_end_nothing_is_taken(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    drain_ends = false;
    outbox_request(stage, BUSY + 1);
    outbox_show(stage);
    look(stage);
    assert_int_equal(requests(stage), BUSY);
    drain_ends = true;
    look(stage);
    assert_int_equal(requests(stage), BUSY + 1);
}

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

static void expect_damage(struct stage *stage, uint64_t count)
{
    look(stage);
    assert_int_equal(requests(stage), BUSY);
    assert_int_equal(stage_counted(stage, "damaged_outboxes"), count);
}

static void test_an_outbox_that_cannot_be_is_counted_and_not_read(void **state)
{
    struct stage *stage = *state;
    char path[192];

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_bytes = RECORDER_OUTBOX_BYTES + 1;
    outbox_show(stage);
    expect_damage(stage, 1);
    outbox_begin(1001);
    outbox_bytes = 0; /* no PACKET */
    outbox_request(stage, BUSY + 1);
    outbox_show(stage);
    expect_damage(stage, 2);
    outbox_begin(1002);
    outbox_request(stage, BUSY + 1);
    outbox.state = recorder_outbox_state(1003, 0); /* another's */
    outbox_show(stage);
    expect_damage(stage, 3);
    page_path(stage, path);
    assert_int_equal(truncate(path, (off_t) offsetof(struct recorder_page, outbox) + 4), 0);
    expect_damage(stage, 4);
}

static void test_an_outbox_of_rubbish_is_counted(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    memset(outbox.bytes + outbox_bytes, 0xff, 100);
    outbox_bytes += 100;
    outbox_show(stage);
    look(stage);
    assert_int_equal(stage_counted(stage, "damaged_packets"), 1);
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

#define AT_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)
#define DRAINED(test)  cmocka_unit_test_setup_teardown(test, setup_drained, stage_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_STAGE(test_a_busy_worker_is_asked_to_hold_until_it_is_idle_for_a_minute),
        AT_STAGE(test_a_quiet_worker_is_not_asked),
        AT_STAGE(test_what_is_held_is_in_the_store_after_the_next_look),
        AT_STAGE(test_a_packet_tells_only_what_was_not_read_in_the_page),
        DRAINED(test_a_worker_that_sends_is_not_looked_at),
        DRAINED(test_a_packet_that_waits_in_the_socket_comes_before_the_outbox),
        DRAINED(test_a_copy_whose_packet_has_come_meanwhile_is_not_taken),
        DRAINED(test_while_the_socket_cannot_be_read_to_its_end_nothing_is_taken),
        AT_STAGE(test_what_a_dead_worker_held_comes_before_the_request_it_died_in),
        AT_STAGE(test_a_dead_worker_does_not_repeat_what_it_sent_or_showed),
        AT_STAGE(test_a_restarted_collector_repeats_neither_requests_nor_samples),
        AT_STAGE(test_a_restarted_collector_takes_what_the_old_one_had_not),
        AT_STAGE(test_what_ended_before_the_store_was_searched_is_not_repeated),
        AT_STAGE(test_a_collector_that_ends_leaves_nobody_holding),
        AT_STAGE(test_a_request_in_flight_does_not_hide_those_that_are_held),
        AT_STAGE(test_an_outbox_that_cannot_be_is_counted_and_not_read),
        AT_STAGE(test_an_outbox_of_rubbish_is_counted),
        AT_STAGE(test_a_dead_workers_outbox_is_not_read_beyond_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
