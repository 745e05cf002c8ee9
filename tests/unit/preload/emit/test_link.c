/* test_link.c - the connection never waits, counts what it loses, and knows its peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "emit/link.h"

static char path[64];
static struct link link_under_test;
static int listener = -1;

static int listen_on(const struct sockaddr_un *address, socklen_t len)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *) address, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static void listen_by_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, path, strlen(path) + 1);
    listener = listen_on(&address, sizeof address);
}

static void listen_by_name(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "fpmscope:%s", path);

    listener = listen_on(&address,
                         (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + (size_t) len));
}

static int setup(void **state)
{
    (void) state;
    snprintf(path, sizeof path, "/tmp/fpmscope-link-%d.sock", (int) getpid());
    unlink(path);
    link_init(&link_under_test, path, geteuid());
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    link_close(&link_under_test);
    if (listener >= 0)
        close(listener);
    listener = -1;
    unlink(path);
    return 0;
}

static void test_a_packet_arrives_whole(void **state)
{
    char got[16];
    int peer;

    (void) state;
    listen_by_path();
    assert_int_equal(link_connect(&link_under_test), 0);
    peer = accept(listener, NULL, NULL);
    assert_true(link_send(&link_under_test, "hello", 5));
    assert_int_equal(recv(peer, got, sizeof got, 0), 5);
    assert_memory_equal(got, "hello", 5);
    close(peer);
}

static void test_the_descriptor_is_high_and_not_inherited(void **state)
{
    (void) state;
    listen_by_path();
    assert_int_equal(link_connect(&link_under_test), 0);
    assert_true(link_under_test.fd >= LINK_FD_MIN);
    assert_true(fcntl(link_under_test.fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(link_under_test.fd, F_GETFL) & O_NONBLOCK);
}

static void test_nobody_there_is_an_error_and_no_packet_is_lost_by_it(void **state)
{
    (void) state;
    assert_int_equal(link_connect(&link_under_test), -ENOENT);
    assert_false(link_send(&link_under_test, "x", 1));
    assert_int_equal(link_under_test.dropped_packets, 0);
}

static void test_a_full_socket_drops_and_counts_and_stays(void **state)
{
    static const char packet[4096];
    int peer, sent = 0;

    (void) state;
    listen_by_path();
    link_connect(&link_under_test);
    peer = accept(listener, NULL, NULL);
    while (sent < 10000 && link_send(&link_under_test, packet, sizeof packet))
        sent++;
    assert_true(sent > 10 && sent < 10000);
    assert_int_equal(link_under_test.dropped_packets, 1);
    assert_true(link_under_test.fd >= 0);
    close(peer);
}

static void test_a_peer_that_went_away_ends_the_connection_without_a_signal(void **state)
{
    (void) state;
    listen_by_path();
    link_connect(&link_under_test);
    close(accept(listener, NULL, NULL));
    link_send(&link_under_test, "x", 1);
    assert_false(link_send(&link_under_test, "x", 1));
    assert_int_equal(link_under_test.fd, -1);
    assert_int_equal(link_under_test.dropped_packets, 0); /* it is the caller's still */
}

static void test_it_comes_back_by_the_abstract_name(void **state)
{
    (void) state;
    listen_by_name();
    assert_true(link_reconnect(&link_under_test, 1000000));
    assert_true(link_under_test.fd >= 0);
    assert_false(link_reconnect(&link_under_test, 1000000)); /* it is there already */
}

static void test_it_tries_less_and_less_often(void **state)
{
    int64_t now_us = 1000000, waits_ms[12];

    (void) state;
    for (int i = 0; i < 12; i++) {
        assert_false(link_reconnect(&link_under_test, now_us));
        waits_ms[i] = (link_under_test.retry_at_us - now_us) / 1000;
        now_us = link_under_test.retry_at_us;
    }
    assert_int_equal(waits_ms[0], LINK_RETRY_FIRST_MS);
    assert_int_equal(waits_ms[1], 2 * LINK_RETRY_FIRST_MS);
    assert_int_equal(waits_ms[11], LINK_RETRY_MAX_MS);
    listen_by_name();
    assert_false(link_reconnect(&link_under_test, now_us - 1));
    assert_true(link_reconnect(&link_under_test, now_us));
    assert_int_equal(link_under_test.retry_ms, LINK_RETRY_FIRST_MS);
}

static void test_another_user_on_the_name_gets_nothing(void **state)
{
    (void) state;
    if (geteuid() == 0)
        skip(); /* root is always believed; tests/e2e shows a squatter */
    listen_by_name();
    link_init(&link_under_test, path, geteuid() + 1);
    assert_false(link_reconnect(&link_under_test, 1000000));
    assert_int_equal(link_under_test.fd, -1);
}

static void test_another_user_on_the_path_gets_nothing(void **state)
{
    (void) state;
    if (geteuid() != 0)
        skip(); /* nobody else can be */
    assert_int_equal(seteuid(65534), 0);
    listen_by_path();
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(link_connect(&link_under_test), -EPERM);
    assert_int_equal(link_under_test.fd, -1);
}

static void test_a_path_that_is_too_long_is_an_error(void **state)
{
    char long_path[200];

    (void) state;
    memset(long_path, 'p', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    link_init(&link_under_test, long_path, 0);
    assert_int_equal(link_connect(&link_under_test), -ENOENT);
    assert_false(link_reconnect(&link_under_test, 1000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_packet_arrives_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_descriptor_is_high_and_not_inherited, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_nobody_there_is_an_error_and_no_packet_is_lost_by_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_socket_drops_and_counts_and_stays, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_a_peer_that_went_away_ends_the_connection_without_a_signal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_comes_back_by_the_abstract_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_tries_less_and_less_often, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_user_on_the_name_gets_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_another_user_on_the_path_gets_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_path_that_is_too_long_is_an_error, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
