/* test_outbox.c - what busy workers hold in their pages is in the store once, in order, soon. */
#include <dirent.h>

#include "unit/collector/ingest/outbox_stage.h"

static struct stage *drained;
static bool drain_ends = true;
static int drains;
static uint32_t later_generation; /* of a packet more that drain() finds, 0: none */
static bool drain_finds_the_end;  /* behind many requests */

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
    for (uint64_t seq = BUSY + 2; drain_finds_the_end && seq < 2 * BUSY + 2; seq++)
        send_request(drained, seq);
    if (drain_finds_the_end)
        ingest_ended(drained->ingest, pid, start_ticks, drained->now_us);
    return drain_ends;
}

static int setup_drained(void **state)
{
    int r = stage_setup(state);

    drained = *state;
    drains = 0;
    drain_ends = true;
    drain_finds_the_end = false;
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

static int open_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void test_who_is_found_dead_during_the_look_is_not_asked_for_anything(void **state)
{
    struct stage *stage = *state;

    begin(stage);
    outbox_request(stage, BUSY + 1);
    outbox_show(stage);
    drain_finds_the_end = true;
    const int before = open_files();
    look(stage);
    assert_int_equal(drains, 1);
    assert_int_equal(open_files(), before - 1); /* its page is closed, and stays so */
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
        DRAINED(test_who_is_found_dead_during_the_look_is_not_asked_for_anything),
        DRAINED(test_while_the_socket_cannot_be_read_to_its_end_nothing_is_taken),
        AT_STAGE(test_an_outbox_that_cannot_be_is_counted_and_not_read),
        AT_STAGE(test_an_outbox_of_rubbish_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
