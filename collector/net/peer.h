/*
 * peer.h - one accepted connection: who is at its other end according to the kernel, and the
 * packets that come from there.
 *
 * SO_PEERCRED tells who connected, and stays so after setuid; every packet brings the process and
 * user of the moment (SO_PASSCRED).  There is never room for descriptors: the kernel closes what a
 * peer tries to pass.
 */
#ifndef FPMSCOPE_NET_PEER_H
#define FPMSCOPE_NET_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

struct peer_identity {
    pid_t pid;
    uid_t uid; /* when it connected */
    uint64_t start_ticks;
    pid_t parent;
    int pidfd;  /* -1: the kernel has none, or the process has ended */
    bool ended; /* before anything but its pid could be known */
};

struct peer_packet {
    size_t length_bytes;
    pid_t pid; /* sender of this very packet */
    uid_t uid;
    bool has_sender;
    bool cut;         /* larger than the buffer */
    bool had_surplus; /* descriptors, which were closed unseen */
};

/* The next connection, non-blocking; -EAGAIN when there is none. */
int peer_accept(int listening_fd);

/* Who is at the other end of `fd`; the pidfd is the caller's.  0 or -errno. */
int peer_identify(int fd, struct peer_identity *ret_identity);

/* 1 and a packet; 0 at the end of the connection; -EAGAIN, or another -errno. */
int peer_receive(int fd, void *buffer, size_t size_bytes, struct peer_packet *ret_packet);

#endif
