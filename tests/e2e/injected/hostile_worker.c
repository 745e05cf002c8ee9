/*
 * hostile_worker.c - what a compromised worker can do to the collector, all at once.
 *
 * Loaded into a php-fpm worker by FFI (test_hostile_worker.py), so it has exactly a worker's
 * rights: its own connection, its own recorder page, the pool user's identity.  hostile() does for
 * `ms` milliseconds, at full speed: rubbish, messages that lie about their lengths, claims about
 * `victim` (another worker) and about masters, descriptors, an overwritten and punched page, more
 * connections than anybody needs; it leaves a grandchild that goes on speaking, and hangs up.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fpmscope/recorder.h"
#include "fpmscope/wire_codec.h"

int hostile(const char *socket_path, const char *pages, int ms, int victim);

enum { FDS_MAX = 1024, PASSED = 8, CONNECTIONS = 600 };

struct attack {
    int fd; /* the shim's own connection */
    struct recorder_page *page;
    uint32_t victim;
    uint64_t dice;
    uint8_t packet[70000];
    size_t length;
    int sent;
};

static uint64_t roll(struct attack *attack)
{
    attack->dice ^= attack->dice << 13;
    attack->dice ^= attack->dice >> 7;
    return attack->dice ^= attack->dice << 17;
}

static int find_connection(void)
{
    for (int fd = FDS_MAX - 1; fd > 2; fd--) {
        int type = 0;
        socklen_t length = sizeof type;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET)
            return fd;
    }
    return -1;
}

static struct recorder_page *find_page(const char *pages)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[1024];
    unsigned long begin = 0;

    while (maps && begin == 0 && fgets(line, sizeof line, maps))
        if (strstr(line, pages))
            begin = strtoul(line, NULL, 16);
    if (maps)
        fclose(maps);
    return (struct recorder_page *) begin;
}

/* The worker floods the buffer, its grandchild has to wait for room. */
static void speak_patiently(struct attack *attack)
{
    for (int i = 0; i < 2000; i++) {
        if (send(attack->fd, attack->packet, attack->length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
            errno != EAGAIN)
            return;
        usleep(50);
    }
}

static void speak(struct attack *attack, int fd)
{
    if (send(fd, attack->packet, attack->length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        attack->sent++;
    else if (errno == EAGAIN)
        usleep(200);
}

static void rubbish(struct attack *attack)
{
    attack->length = roll(attack) % 20000;
    for (size_t i = 0; i < attack->length; i++)
        attack->packet[i] = (uint8_t) roll(attack);
    speak(attack, attack->fd);
}

/* Heads of real messages over wrong lengths, strings that run out. */
static void lying_lengths(struct attack *attack)
{
    attack->length = 4 + roll(attack) % 400;
    for (size_t i = 0; i < attack->length; i++)
        attack->packet[i] = (uint8_t) (roll(attack) % 3 ? 0xff : 0);
    const uint16_t head[2] = {(uint16_t) (roll(attack) % 13), (uint16_t) roll(attack)};
    memcpy(attack->packet, head, sizeof head);
    if (roll(attack) % 2)
        memcpy(attack->packet + 2, &(uint16_t){(uint16_t) attack->length}, sizeof(uint16_t));
    speak(attack, attack->fd);
}

static void add(struct attack *attack, size_t index, const void *message)
{
    attack->length += wire_encode(&wire_messages[index], message, attack->packet + attack->length,
                                  WIRE_PACKET_MAX_BYTES - attack->length);
}

/* I am a master, the victim is dead, I am the victim, it killed itself. */
static void slander(struct attack *attack)
{
    const int64_t now_us = (int64_t) time(NULL) * 1000000;
    const struct wire_hello hello = {.version = WIRE_VERSION,
                                     .role = WIRE_ROLE_MASTER,
                                     .pid = attack->victim,
                                     .ppid = 1,
                                     .start_ticks = 1,
                                     .time_us = INT64_MIN};
    const struct wire_reap reap = {.time_us = now_us, .child = attack->victim, .status = 11};
    const struct wire_fork fork_ = {.time_us = now_us, .child = attack->victim};
    const struct wire_kill kill_ = {.time_us = INT64_MAX, .target = attack->victim, .signo = 9};
    const struct wire_request request = {.seq = roll(attack),
                                         .begin_us = INT64_MIN,
                                         .end_us = INT64_MAX,
                                         .live_after_bytes = INT64_MIN,
                                         .status = 502,
                                         .uri = {.ptr = "/slander?secret=1", .len_bytes = 17}};
    const struct wire_note note = {.code = 9, .detail = {.ptr = "\033[2J\r\n\"", .len_bytes = 7}};

    attack->length = 0;
    add(attack, WIRE_INDEX_HELLO, &hello);
    add(attack, WIRE_INDEX_REAP, &reap);
    add(attack, WIRE_INDEX_FORK, &fork_);
    add(attack, WIRE_INDEX_KILL, &kill_);
    add(attack, WIRE_INDEX_REQUEST, &request);
    add(attack, WIRE_INDEX_NOTE, &note);
    speak(attack, attack->fd);
}

/* Descriptors nobody asked for. */
static void descriptors(struct attack *attack)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(PASSED * sizeof(int))] = {0};
    struct iovec bytes = {.iov_base = attack->packet, .iov_len = 100};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                             .cmsg_type = SCM_RIGHTS,
                             .cmsg_len = CMSG_LEN(PASSED * sizeof(int))};
    for (size_t i = 0; i < PASSED; i++)
        memcpy(CMSG_DATA(head) + i * sizeof(int), &attack->fd, sizeof(int));
    if (sendmsg(attack->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        attack->sent++;
}

/* All of the page may change between any two looks; what is punched reads as zeros. */
static void deface_page(struct attack *attack)
{
    uint8_t *bytes = (uint8_t *) attack->page;

    if (!bytes)
        return;
    for (int i = 0; i < 2000; i++) {
        const uint64_t where = roll(attack);

        bytes[where % sizeof *attack->page] = (uint8_t) (where >> 40);
        if (i % 2)
            bytes[where % 1024] = (uint8_t) (where >> 48);
    }
    attack->page->crash.state = RECORDER_CRASH_COMPLETE;
    attack->page->crash.stack_len_bytes = UINT32_MAX;
    if (roll(attack) % 8 == 0)
        madvise(bytes, sizeof *attack->page, MADV_REMOVE);
    if (roll(attack) % 2)
        attack->page->magic = RECORDER_MAGIC;
    attack->page->version = RECORDER_VERSION;
}

/* It asks itself to hold, and shows packets that it never sent, or that cannot be. */
static void lie_in_outbox(struct attack *attack)
{
    struct recorder_outbox *outbox = attack->page ? &attack->page->outbox : NULL;
    const struct wire_packet packet = {.generation = (uint32_t) roll(attack) % 4};
    size_t head;

    if (!outbox)
        return;
    slander(attack); /* leaves its packet */
    head = wire_encode(&wire_messages[WIRE_INDEX_PACKET], &packet, outbox->bytes,
                       sizeof outbox->bytes);
    memcpy(outbox->bytes + head, attack->packet, attack->length);
    outbox->bytes[roll(attack) % (roll(attack) % 4 ? sizeof outbox->bytes : 64)] ^= 1;
    attack->page->hold_us = roll(attack);
    outbox->state = recorder_outbox_state(
        roll(attack) % 8 ? packet.generation : (uint32_t) roll(attack),
        (uint32_t) (roll(attack) % 8 ? head + attack->length : roll(attack) >> 40));
}

static int knock(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int length =
        snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "fpmscope:%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *) &address,
                           (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1) +
                               (socklen_t) length) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* It keeps the connection after the worker has gone, and speaks through it. */
static void leave_grandchild(struct attack *attack, int ms)
{
    if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) != 0) /* no fork handler closes it */
        return;
    for (int i = 0; i < ms / 10; i++) {
        slander(attack);
        speak_patiently(attack);
    }
    _exit(0);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Returns how many packets the collector's socket took; < 0: the worker is not under the shim. */
__attribute__((visibility("default"))) int hostile(const char *socket_path, const char *pages,
                                                   int ms, int victim)
{
    static void (*const moves[])(struct attack *) = {rubbish,     lying_lengths, slander,
                                                     descriptors, deface_page,   lie_in_outbox};
    static struct attack attack;
    const int64_t end_ms = now_ms() + ms;

    attack = (struct attack){.fd = find_connection(),
                             .page = find_page(pages),
                             .victim = (uint32_t) victim,
                             .dice = 0x9e3779b97f4a7c15};
    if (attack.fd < 0 || !attack.page)
        return -1;
    for (int i = 0; i < CONNECTIONS; i++)
        knock(socket_path); /* kept open until the worker ends */
    leave_grandchild(&attack, ms * 2);
    while (now_ms() < end_ms)
        moves[roll(&attack) % (sizeof moves / sizeof *moves)](&attack);
    shutdown(attack.fd, SHUT_RDWR);
    return attack.sent;
}
