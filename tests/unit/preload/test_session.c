/* test_session.c - a collector that is replaced by another is told who we are, then what waited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fpmscope/wire_codec.h"
#include "session.h"

static char path[64];
static struct session session;
static struct recorder_outbox outbox; /* of the page */
static uint64_t hold_us;              /* in the page */
static int listener = -1, peer = -1;
static uint8_t packet[WIRE_PACKET_MAX_BYTES];
static const int64_t start_us = INT64_C(1795335264405824);

static void collector_listens(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "fpmscope:%s", path);

    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *) &address,
                          (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + (size_t) len)),
                     0);
    assert_int_equal(listen(listener, 4), 0);
}

static void collector_accepts(void)
{
    peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
}

static void collector_dies(void)
{
    close(peer);
    close(listener);
    peer = listener = -1;
}

/* Message number `n` of the next packet, PACKET not counted; 0 when there is none. */
static unsigned hear(unsigned n, union wire_any *ret)
{
    const struct wire_message *desc;
    const uint8_t *message;
    size_t pos = 0, length;
    ssize_t got = recv(peer, packet, sizeof packet, MSG_DONTWAIT);

    while (got > 0 && wire_next(packet, (size_t) got, &pos, &desc, &message, &length))
        if (!(desc && desc->id == WIRE_PACKET) && n-- == 0)
            return desc && wire_decode(desc, message, length, ret) ? desc->id : 0;
    return 0;
}

static int setup(void **state)
{
    const struct wire_hello hello = {.version = WIRE_VERSION, .role = WIRE_ROLE_WORKER, .pid = 1};
    union wire_any any;

    (void) state;
    snprintf(path, sizeof path, "/tmp/fpmscope-session-%d.sock", (int) getpid());
    memset(&session, 0, sizeof session);
    memset(&outbox, 0, sizeof outbox);
    hold_us = 0;
    session.link.fd = -1;
    session_start(&session, path, geteuid());
    batch_share(&session.batch, &outbox, &hold_us);
    collector_listens();
    session_introduce(&session, &hello);
    session_revive(&session, start_us);
    collector_accepts();
    assert_int_equal(hear(0, &any), WIRE_HELLO);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    link_close(&session.link);
    if (listener >= 0)
        collector_dies();
    return 0;
}

/* As a worker tells a request. */
static void one_request(uint64_t seq, int64_t end_us)
{
    session_revive(&session, end_us);
    batch_add(&session.batch, WIRE_INDEX_FREED, &(struct wire_freed){.seq = seq});
    batch_end_request(&session.batch, end_us);
    session_revive(&session, end_us);
}

static void assert_hears(unsigned n, uint64_t seq)
{
    union wire_any any;

    assert_int_equal(hear(n, &any), WIRE_FREED);
    assert_int_equal(any.freed.seq, seq);
}

static void assert_hears_hello(void)
{
    union wire_any any;

    assert_int_equal(hear(0, &any), WIRE_HELLO);
}

static void test_a_request_that_a_dead_connection_did_not_take_is_told_over_the_next(void **state)
{
    (void) state;
    one_request(1, start_us);
    assert_hears(0, 1);
    collector_dies();
    collector_listens();
    one_request(2, start_us + 1);
    collector_accepts();
    assert_hears_hello();
    assert_hears(0, 2);
    one_request(3, start_us + 2);
    assert_hears(0, 3);
    assert_int_equal(session.link.dropped_packets, 0);
}

static void test_what_ends_while_no_collector_is_there_waits_for_it(void **state)
{
    (void) state;
    collector_dies();
    one_request(1, start_us);
    one_request(2, start_us + 1);
    collector_listens();
    one_request(3, start_us + 2); /* too early to look again */
    one_request(4, start_us + LINK_RETRY_FIRST_MS * INT64_C(1000));
    collector_accepts();
    assert_hears_hello();
    assert_hears(2, 3);
    assert_hears(0, 4);
    assert_int_equal(session.link.dropped_packets, 0);
}

static void test_what_was_held_for_a_dead_collector_is_told_to_the_next(void **state)
{
    (void) state;
    hold_us = 100000;
    one_request(1, start_us);
    one_request(2, start_us + 1);
    collector_dies();
    collector_listens();
    hold_us = 0; /* a collector that is stopped takes its wish back */
    one_request(3, start_us + 2);
    collector_accepts();
    assert_hears_hello();
    assert_hears(2, 3);
    assert_int_equal(session.link.dropped_packets, 0);
}

/* A fork child of whoever has `session`, which finds no collector. */
static void be_born_alone(void)
{
    collector_dies();
    session_start(&session, path, geteuid());
    session_connect(&session);
    batch_share(&session.batch, &outbox, &hold_us);
    session_introduce(&session, &(struct wire_hello){.version = WIRE_VERSION});
}

static void test_what_a_process_does_that_was_born_without_the_collector_waits_for_it(void **state)
{
    (void) state;
    be_born_alone();
    one_request(1, start_us);
    one_request(2, start_us + 1);
    collector_listens();
    one_request(3, start_us + LINK_RETRY_FIRST_MS * INT64_C(1000));
    collector_accepts();
    assert_hears_hello();
    assert_hears(1, 2);
    assert_hears(0, 3);
}

static void test_where_no_collector_was_ever_met_nothing_is_kept_for_it(void **state)
{
    (void) state;
    session_abandon(&session);
    be_born_alone();
    one_request(1, start_us);
    assert_int_equal(session.batch.len_bytes, 0);
    collector_listens();
    one_request(2, start_us + LINK_RETRY_FIRST_MS * INT64_C(1000));
    collector_accepts();
    assert_hears_hello();
    assert_hears(0, 2);
}

static void test_a_new_connection_means_that_texts_must_be_told_again(void **state)
{
    uint32_t before = session.batch.lost_at;

    (void) state;
    collector_dies();
    collector_listens();
    one_request(1, start_us);
    assert_int_not_equal(session.batch.lost_at, before);
}

static void test_what_must_be_told_at_once_is_told_over_a_new_connection(void **state)
{
    const struct wire_kill kill = {.target = 7, .signo = 9};
    union wire_any any;

    (void) state;
    collector_dies();
    collector_listens();
    session_say(&session, WIRE_INDEX_KILL, &kill, start_us);
    collector_accepts();
    assert_hears_hello();
    assert_int_equal(hear(0, &any), WIRE_KILL);
    assert_int_equal(any.kill.target, 7);
}

static void test_notes_are_told_with_every_hello_and_once_over_a_connection(void **state)
{
    union wire_any any;

    (void) state;
    session_note(&session, WIRE_NOTE_LIBRARY, "no libunwind");
    one_request(1, start_us);
    assert_int_equal(hear(0, &any), WIRE_NOTE);
    collector_dies();
    one_request(2, start_us + 1);
    session_note(&session, WIRE_NOTE_ARMING, "another tool");
    collector_listens();
    one_request(3, start_us + LINK_RETRY_FIRST_MS * INT64_C(1000) + 1);
    collector_accepts();
    assert_int_equal(hear(2, &any), WIRE_NOTE); /* both behind HELLO */
    assert_hears(0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_request_that_a_dead_connection_did_not_take_is_told_over_the_next, setup,
            teardown),
        cmocka_unit_test_setup_teardown(test_what_ends_while_no_collector_is_there_waits_for_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_held_for_a_dead_collector_is_told_to_the_next,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_what_a_process_does_that_was_born_without_the_collector_waits_for_it, setup,
            teardown),
        cmocka_unit_test_setup_teardown(test_where_no_collector_was_ever_met_nothing_is_kept_for_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_new_connection_means_that_texts_must_be_told_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_what_must_be_told_at_once_is_told_over_a_new_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_notes_are_told_with_every_hello_and_once_over_a_connection, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
