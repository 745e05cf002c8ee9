/* test_peer.c - the kernel says who speaks, in every packet; descriptors do not get in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/proc.h"
#include "net/listener.h"
#include "net/peer.h"

struct place {
    char directory[64];
    struct listener listener;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct listener_message message;
    char path[96];

    snprintf(place->directory, sizeof place->directory, "/tmp/fpmscope-net.XXXXXX");
    *state = place;
    if (!mkdtemp(place->directory))
        return -1;
    snprintf(path, sizeof path, "%s/c.sock", place->directory);
    return listener_open(path, &place->listener, &message);
}

static int teardown(void **state)
{
    struct place *place = *state;

    listener_close(&place->listener);
    int r = rmdir(place->directory);
    free(place);
    return r;
}

static int connect_to(const struct listener *listener)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", listener->path);
    if (connect(fd, (struct sockaddr *) &address, sizeof address) < 0)
        _exit(1);
    return fd;
}

/* A child that connects, does `act` and waits to be killed, or ends. */
static pid_t child_that(const struct place *place, void (*act)(int fd), bool waits)
{
    pid_t child = fork();

    if (child == 0) {
        act(connect_to(&place->listener));
        if (waits)
            pause();
        _exit(0);
    }
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static int accept_one(const struct place *place)
{
    struct pollfd wait = {.fd = place->listener.path_fd, .events = POLLIN};

    assert_int_equal(poll(&wait, 1, 5000), 1);
    int fd = peer_accept(place->listener.path_fd);
    assert_true(fd >= 0);
    return fd;
}

static int receive(int fd, char *text, size_t size_bytes, struct peer_packet *packet)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&wait, 1, 5000), 1);
    return peer_receive(fd, text, size_bytes, packet);
}

static void say_hello(int fd)
{
    ssize_t n = send(fd, "hello", 5, 0);
    (void) n;
}

static void test_a_packet_brings_its_sender_and_a_peer_its_pidfd(void **state)
{
    struct place *place = *state;
    pid_t child = child_that(place, say_hello, true);
    struct peer_identity identity;
    struct process_stat stat;
    struct peer_packet packet;
    char text[64];
    int fd = accept_one(place);

    assert_int_equal(peer_identify(fd, &identity), 0);
    assert_int_equal(identity.pid, child);
    assert_int_equal(identity.parent, getpid());
    assert_int_equal(process_stat(child, &stat), 0);
    assert_int_equal(identity.start_ticks, stat.start_ticks);
    assert_int_equal(receive(fd, text, sizeof text, &packet), 1);
    assert_int_equal(packet.length_bytes, 5);
    assert_true(packet.has_sender && packet.pid == child && packet.uid == geteuid());
    assert_int_equal(peer_receive(fd, text, sizeof text, &packet), -EAGAIN);
    assert_false(process_pinned_ended(identity.pidfd));
    end(child);
    assert_true(process_pinned_ended(identity.pidfd));
    assert_int_equal(peer_receive(fd, text, sizeof text, &packet), 0);
    close(identity.pidfd);
    close(fd);
}

static void speak_through_a_grandchild(int fd)
{
    if (fork() == 0) {
        say_hello(fd);
        pause();
    }
    wait(NULL);
}

static void test_a_grandchild_that_inherited_the_socket_is_told_apart(void **state)
{
    struct place *place = *state;
    pid_t child = child_that(place, speak_through_a_grandchild, true);
    struct peer_packet packet;
    char text[64];
    int fd = accept_one(place);

    assert_int_equal(receive(fd, text, sizeof text, &packet), 1);
    assert_true(packet.has_sender);
    assert_int_not_equal(packet.pid, child);
    kill(packet.pid, SIGKILL);
    end(child);
    close(fd);
}

static void pass_descriptors(int fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {0};
    struct iovec bytes = {.iov_base = (char[]){"take"}, .iov_len = 4};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    const int passed[4] = {0, 1, 2, fd};

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof passed);
    memcpy(CMSG_DATA(c), passed, sizeof passed);
    ssize_t n = sendmsg(fd, &message, 0);
    (void) n;
}

static int lowest_free_descriptor(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

static void test_passed_descriptors_are_closed_unseen(void **state)
{
    struct place *place = *state;
    pid_t child = child_that(place, pass_descriptors, true);
    struct peer_packet packet;
    char text[64];
    int fd = accept_one(place);
    const int before = lowest_free_descriptor();

    assert_int_equal(receive(fd, text, sizeof text, &packet), 1);
    assert_int_equal(packet.length_bytes, 4);
    assert_true(packet.had_surplus);
    assert_true(packet.has_sender && packet.pid == child);
    assert_int_equal(lowest_free_descriptor(), before);
    end(child);
    close(fd);
}

static void send_large_and_empty(int fd)
{
    static char large[4096];
    ssize_t n = send(fd, large, sizeof large, 0);

    n = send(fd, large, 0, 0);
    say_hello(fd);
    (void) n;
}

static void test_a_large_packet_is_cut_and_an_empty_one_is_not_the_end(void **state)
{
    struct place *place = *state;
    pid_t child = child_that(place, send_large_and_empty, true);
    struct peer_packet packet;
    char text[64];
    int fd = accept_one(place);

    assert_int_equal(receive(fd, text, sizeof text, &packet), 1);
    assert_true(packet.cut);
    assert_int_equal(receive(fd, text, sizeof text, &packet), 1);
    assert_int_equal(packet.length_bytes, 0);
    assert_int_equal(receive(fd, text, sizeof text, &packet), 1);
    assert_memory_equal(text, "hello", 5);
    end(child);
    close(fd);
}

static void test_what_a_dead_process_said_is_still_read(void **state)
{
    struct place *place = *state;
    pid_t child = child_that(place, say_hello, false);
    struct peer_identity identity;
    struct peer_packet packet;
    char text[64];

    waitpid(child, NULL, 0);
    int fd = accept_one(place);
    assert_int_equal(peer_identify(fd, &identity), 0);
    assert_true(identity.ended);
    assert_int_equal(identity.pid, child);
    assert_int_equal(identity.pidfd, -1);
    assert_int_equal(receive(fd, text, sizeof text, &packet), 1);
    assert_true(packet.has_sender && packet.pid == child);
    assert_int_equal(peer_receive(fd, text, sizeof text, &packet), 0);
    close(fd);
}

static void test_the_stat_line_is_parsed_whatever_the_name(void **state)
{
    static const char line[] =
        "7 (a) R 1 (x) S 3 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 335049 5 6";
    struct process_stat stat;

    (void) state;
    assert_int_equal(process_parse_stat(line, sizeof line - 1, &stat), 0);
    assert_int_equal(stat.state, 'S');
    assert_int_equal(stat.parent, 3);
    assert_int_equal(stat.start_ticks, 335049);
    assert_int_equal(process_parse_stat("7 (a", 4, &stat), -EBADMSG);
    assert_int_equal(process_parse_stat("7 (a) R", 7, &stat), -EBADMSG);
    assert_int_equal(process_parse_stat("", 0, &stat), -EBADMSG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_packet_brings_its_sender_and_a_peer_its_pidfd),
        TEST(test_a_grandchild_that_inherited_the_socket_is_told_apart),
        TEST(test_passed_descriptors_are_closed_unseen),
        TEST(test_a_large_packet_is_cut_and_an_empty_one_is_not_the_end),
        TEST(test_what_a_dead_process_said_is_still_read),
        TEST(test_the_stat_line_is_parsed_whatever_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
