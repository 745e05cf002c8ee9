/* test_batch.c - one packet for a request, or for many when the collector asks a worker to hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "emit/batch.h"
#include "fpmscope/wire_codec.h"

static struct link link_under_test;
static struct batch batch;
static struct recorder_outbox outbox; /* of the page */
static uint64_t hold_us;              /* in the page */
static int peer;
static uint8_t packet[WIRE_PACKET_MAX_BYTES];
static const int64_t start_us = INT64_C(1795335264405824);

static int setup(void **state)
{
    int pair[2];

    (void) state;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
        return -1;
    link_init(&link_under_test, "", geteuid());
    link_under_test.fd = pair[0];
    peer = pair[1];
    memset(&batch, 0, sizeof batch);
    memset(&outbox, 0, sizeof outbox);
    hold_us = 0;
    batch_init(&batch, &link_under_test);
    return 0;
}

static int setup_shared(void **state)
{
    int r = setup(state);

    batch_share(&batch, &outbox, &hold_us);
    return r;
}

static int teardown(void **state)
{
    (void) state;
    link_close(&link_under_test);
    close(peer);
    return 0;
}

/* The next packet's length, -1 when there is none. */
static ssize_t receive(void)
{
    return recv(peer, packet, sizeof packet, MSG_DONTWAIT);
}

static bool add_request(uint64_t seq)
{
    return batch_add(&batch, WIRE_INDEX_FREED, &(struct wire_freed){.seq = seq});
}

static bool add_note(uint16_t len_bytes)
{
    static const char text[WIRE_PACKET_MAX_BYTES];

    return batch_add(&batch, WIRE_INDEX_NOTE,
                     &(struct wire_note){.code = 3, .detail = {text, len_bytes}});
}

static void one_request(uint64_t seq, int64_t end_us)
{
    assert_true(add_request(seq));
    batch_end_request(&batch, end_us);
}

/* Message number `n` of some bytes; its id, 0 when there are not so many. */
static unsigned message_id(const uint8_t *bytes, size_t len_bytes, unsigned n, union wire_any *ret)
{
    const struct wire_message *desc;
    const uint8_t *message;
    size_t pos = 0, length;

    while (wire_next(bytes, len_bytes, &pos, &desc, &message, &length))
        if (n-- == 0)
            return desc && wire_decode(desc, message, length, ret) ? desc->id : 0;
    return 0;
}

static uint32_t finished_bytes(void)
{
    return (uint32_t) outbox.state;
}

static uint32_t generation(void)
{
    return (uint32_t) (outbox.state >> 32);
}

static void test_messages_of_a_request_are_one_packet(void **state)
{
    union wire_any any;
    ssize_t got;

    (void) state;
    assert_true(add_request(1));
    assert_true(add_note(3));
    batch_end_request(&batch, start_us);
    batch_flush(&batch); /* nothing twice */
    got = receive();
    assert_true(got > 0);
    assert_int_equal(message_id(packet, (size_t) got, 0, &any), WIRE_FREED);
    assert_int_equal(message_id(packet, (size_t) got, 1, &any), WIRE_NOTE);
    assert_int_equal(message_id(packet, (size_t) got, 2, &any), 0);
    assert_int_equal(receive(), -1);
}

static void test_a_full_packet_goes_out_early(void **state)
{
    (void) state;
    for (int i = 0; i < 4; i++)
        assert_true(add_note(5000));
    assert_true(receive() > 3 * 5000);
    batch_flush(&batch);
    assert_true(receive() > 5000);
}

static void test_what_never_fits_is_refused(void **state)
{
    (void) state;
    hold_us = 100000;
    assert_false(add_note(UINT16_MAX));
    assert_int_equal(batch.len_bytes, 0);
    assert_false(add_note(WIRE_PACKET_MAX_BYTES));
    batch_flush(&batch);
    assert_int_equal(receive(), -1);
    link_close(&link_under_test);
    assert_false(add_request(1));
    assert_int_equal(batch.len_bytes, 0);
}

static void test_nobody_who_asks_to_hold_means_a_packet_for_each_request(void **state)
{
    union wire_any any;

    (void) state;
    for (uint64_t seq = 1; seq <= 3; seq++) {
        one_request(seq, start_us);
        assert_int_equal(finished_bytes(), 0);
        assert_true(receive() > 0);
        assert_int_equal(message_id(packet, 100, 0, &any), WIRE_FREED);
    }
    assert_int_equal(generation(), 3);
}

static void test_a_held_request_is_not_sent_and_can_be_read_in_the_page(void **state)
{
    union wire_any any;

    (void) state;
    hold_us = 100000;
    one_request(1, start_us);
    one_request(2, start_us + 99000);
    assert_int_equal(receive(), -1);
    assert_int_equal(finished_bytes(), batch.len_bytes);
    assert_int_equal(message_id(outbox.bytes, finished_bytes(), 0, &any), WIRE_PACKET);
    assert_int_equal(any.packet.generation, generation());
    assert_int_equal(message_id(outbox.bytes, finished_bytes(), 1, &any), WIRE_FREED);
    assert_int_equal(message_id(outbox.bytes, finished_bytes(), 2, &any), WIRE_FREED);
    assert_int_equal(any.freed.seq, 2);
}

static void test_a_request_that_runs_is_not_shown(void **state)
{
    uint32_t finished;

    (void) state;
    hold_us = 100000;
    one_request(1, start_us);
    finished = finished_bytes();
    assert_true(add_request(2));
    assert_int_equal(finished_bytes(), finished);
    assert_true(batch.len_bytes > finished);
}

static void test_what_was_held_long_enough_is_one_packet(void **state)
{
    union wire_any any;
    ssize_t got;

    (void) state;
    hold_us = 100000;
    for (uint64_t seq = 1; seq <= 5; seq++)
        one_request(seq, start_us + (int64_t) seq * 25000);
    got = receive();
    assert_true(got > 0);
    assert_int_equal(message_id(packet, (size_t) got, 0, &any), WIRE_PACKET);
    assert_int_equal(any.packet.generation, 0);
    assert_int_equal(message_id(packet, (size_t) got, 5, &any), WIRE_FREED);
    assert_int_equal(any.freed.seq, 5);
    assert_int_equal(outbox.state, recorder_outbox_state(1, 0));
    one_request(6, start_us + 150000);
    assert_int_equal(receive(), -1);
    assert_int_equal(message_id(outbox.bytes, finished_bytes(), 0, &any), WIRE_PACKET);
    assert_int_equal(any.packet.generation, 1);
}

static void test_a_clock_that_is_set_back_ends_the_hold(void **state)
{
    (void) state;
    hold_us = 100000;
    one_request(1, start_us);
    one_request(2, start_us - 1);
    assert_true(receive() > 0);
}

static void test_what_is_large_is_not_held(void **state)
{
    (void) state;
    hold_us = 100000;
    assert_true(add_note(4000));
    batch_end_request(&batch, start_us);
    assert_int_equal(receive(), -1);
    assert_true(add_note(4200));
    batch_end_request(&batch, start_us);
    assert_true(receive() > BATCH_HOLD_BYTES);
}

static void test_nobody_can_ask_to_hold_for_hours(void **state)
{
    (void) state;
    hold_us = UINT64_MAX;
    one_request(1, start_us);
    one_request(2, start_us + BATCH_HOLD_MAX_US - 1);
    assert_int_equal(receive(), -1);
    one_request(3, start_us + BATCH_HOLD_MAX_US);
    assert_true(receive() > 0);
}

static void test_when_holding_is_over_the_next_request_takes_all_with_it(void **state)
{
    union wire_any any;
    ssize_t got;

    (void) state;
    hold_us = 100000;
    one_request(1, start_us);
    hold_us = 0;
    one_request(2, start_us + 1);
    got = receive();
    assert_int_equal(message_id(packet, (size_t) got, 2, &any), WIRE_FREED);
    assert_int_equal(any.freed.seq, 2);
    one_request(3, start_us + 2);
    got = receive();
    assert_int_equal(message_id(packet, (size_t) got, 0, &any), WIRE_FREED);
}

static void test_a_packet_begun_before_the_wish_is_not_held(void **state)
{
    (void) state;
    assert_true(add_request(1));
    hold_us = 100000;
    batch_end_request(&batch, start_us);
    assert_true(receive() > 0);
}

static void test_a_process_of_its_own_leaves_the_page_alone(void **state)
{
    struct recorder_outbox before;

    (void) state;
    hold_us = 100000;
    one_request(1, start_us);
    before = outbox;
    link_close(&link_under_test);
    batch_init(&batch, &link_under_test);
    assert_false(add_request(2));
    batch_end_request(&batch, start_us);
    batch_flush(&batch);
    assert_memory_equal(&outbox, &before, sizeof outbox);
}

/* The same batch over a new connection. */
static void connect_anew(void)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    link_under_test.fd = pair[0];
    peer = pair[1];
}

static void test_what_a_dead_connection_did_not_take_waits_for_the_next(void **state)
{
    union wire_any any;
    ssize_t got;

    (void) state;
    close(peer);
    one_request(1, start_us);
    assert_int_equal(link_under_test.fd, -1);
    one_request(2, start_us + 1);
    assert_int_equal(link_under_test.dropped_packets, 0);
    connect_anew();
    batch_flush(&batch);
    got = receive();
    assert_int_equal(message_id(packet, (size_t) got, 0, &any), WIRE_PACKET);
    assert_int_equal(message_id(packet, (size_t) got, 2, &any), WIRE_FREED);
    assert_int_equal(any.freed.seq, 2);
    assert_int_equal(outbox.state, recorder_outbox_state(1, 0));
}

/* By the next collector, when the worker does not live to meet it. */
static void test_what_waits_can_be_read_in_the_page_though_nobody_asked_to_hold(void **state)
{
    union wire_any any;

    (void) state;
    one_request(1, start_us);
    close(peer);
    one_request(2, start_us + 1);
    assert_int_equal(generation(), 1);
    assert_int_equal(message_id(outbox.bytes, finished_bytes(), 0, &any), WIRE_PACKET);
    assert_int_equal(any.packet.generation, 1);
    assert_int_equal(message_id(outbox.bytes, finished_bytes(), 1, &any), WIRE_FREED);
    assert_int_equal(any.freed.seq, 2);
    one_request(3, start_us + 2);
    assert_int_equal(message_id(outbox.bytes, finished_bytes(), 2, &any), WIRE_FREED);
    assert_int_equal(any.freed.seq, 3);
}

static void test_what_was_held_and_waits_can_be_read_in_the_page(void **state)
{
    union wire_any any;

    (void) state;
    hold_us = 100000;
    one_request(1, start_us);
    close(peer);
    batch_flush(&batch);
    one_request(2, start_us + 200000);
    peer = -1;
    assert_int_equal(link_under_test.fd, -1);
    assert_int_equal(link_under_test.dropped_packets, 0);
    assert_int_equal(generation(), 0);
    assert_int_equal(message_id(outbox.bytes, finished_bytes(), 2, &any), WIRE_FREED);
    assert_int_equal(any.freed.seq, 2);
}

static void
test_what_finds_no_room_while_it_waits_is_counted_once_and_nothing_follows_it(void **state)
{
    ssize_t got;

    (void) state;
    close(peer);
    assert_true(add_note(10000));
    batch_end_request(&batch, start_us);
    assert_false(add_note(10000));
    assert_false(add_request(2)); /* it would fit */
    assert_int_equal(link_under_test.dropped_packets, 1);
    connect_anew();
    batch_flush(&batch);
    got = receive();
    assert_true(got > 10000 && got < 10100);
    assert_true(add_request(3));
}

static void test_what_a_full_socket_did_not_take_is_lost_and_counted(void **state)
{
    (void) state;
    while (link_under_test.dropped_packets == 0)
        assert_true(add_note(10000));
    assert_int_equal(batch.lost_at, 1);
    assert_true(link_under_test.fd >= 0);
    while (receive() > 0)
        continue;
    batch_flush(&batch);
    assert_true(receive() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages_of_a_request_are_one_packet, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_packet_goes_out_early, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_never_fits_is_refused, setup_shared, teardown),
        cmocka_unit_test_setup_teardown(
            test_nobody_who_asks_to_hold_means_a_packet_for_each_request, setup_shared, teardown),
        cmocka_unit_test_setup_teardown(test_a_held_request_is_not_sent_and_can_be_read_in_the_page,
                                        setup_shared, teardown),
        cmocka_unit_test_setup_teardown(test_a_request_that_runs_is_not_shown, setup_shared,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_was_held_long_enough_is_one_packet, setup_shared,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_clock_that_is_set_back_ends_the_hold, setup_shared,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_is_large_is_not_held, setup_shared, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_can_ask_to_hold_for_hours, setup_shared,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_when_holding_is_over_the_next_request_takes_all_with_it, setup_shared, teardown),
        cmocka_unit_test_setup_teardown(test_a_packet_begun_before_the_wish_is_not_held,
                                        setup_shared, teardown),
        cmocka_unit_test_setup_teardown(test_a_process_of_its_own_leaves_the_page_alone,
                                        setup_shared, teardown),
        cmocka_unit_test_setup_teardown(test_what_a_dead_connection_did_not_take_waits_for_the_next,
                                        setup_shared, teardown),
        cmocka_unit_test_setup_teardown(
            test_what_waits_can_be_read_in_the_page_though_nobody_asked_to_hold, setup_shared,
            teardown),
        cmocka_unit_test_setup_teardown(test_what_was_held_and_waits_can_be_read_in_the_page,
                                        setup_shared, teardown),
        cmocka_unit_test_setup_teardown(
            test_what_finds_no_room_while_it_waits_is_counted_once_and_nothing_follows_it,
            setup_shared, teardown),
        cmocka_unit_test_setup_teardown(test_what_a_full_socket_did_not_take_is_lost_and_counted,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
