/*
 * link.h - the connection to the collector.
 *
 * Never waits: the socket is non-blocking before connect(), and a full queue is a dropped packet.
 * Connected by path in the fork child, which is still root and outside of any chroot; later, when
 * the path is out of reach, by an abstract name made from it.  Anybody may take an abstract name,
 * so the peer must be the user that was met first.
 *
 * Signal-safe: link_send().
 */
#ifndef FPMSCOPE_EMIT_LINK_H
#define FPMSCOPE_EMIT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINK_FD_MIN = 200, /* out of the way of programs that count on low numbers */
    LINK_SEND_BUFFER_BYTES = 256 * 1024,
    LINK_RETRY_FIRST_MS = 250,
    LINK_RETRY_MAX_MS = 60 * 1000,
};

struct link {
    int fd;              /* -1: not connected */
    const char *path;    /* borrowed */
    uint32_t own_uid;    /* when we started: the collector is this user's, or root's */
    int64_t retry_at_us; /* CLOCK_REALTIME */
    int64_t retry_ms;
    uint64_t dropped_packets;
    bool has_met; /* this process, or the one that forked it, had a connection once */
};

void link_init(struct link *link, const char *path, uint32_t uid);

/* By path; 0 or -errno, -EPERM when neither root nor our own user listens there. */
int link_connect(struct link *link);

/* By the abstract name, when not connected and the back-off has passed; true: connected just now.
 */
bool link_reconnect(struct link *link, int64_t now_us);

void link_close(struct link *link);

/* One packet.  False: it was not taken.  A full socket drops it, which is counted; a connection
 * that turns out to be gone is closed (fd is -1), and the packet is the caller's still. */
bool link_send(struct link *link, const void *packet, size_t len_bytes);

#endif
