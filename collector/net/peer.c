/* peer.c - accept, identify, receive. */
#include "net/peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/proc.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

int peer_accept(int listening_fd)
{
    int fd = accept4(listening_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int on = 1;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    return fd;
}

/* The pidfd of the very process that connected, whatever became of its number. */
static int peer_pidfd(int fd)
{
    int pidfd = -1;
    socklen_t length = sizeof pidfd;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) < 0)
        return -errno;
    return pidfd;
}

static int pin_peer(int fd, pid_t pid, struct process_stat *ret_stat)
{
    int pidfd = peer_pidfd(fd);

    if (pidfd < 0)
        return pidfd == -ENOPROTOOPT ? process_pin(pid, ret_stat) : pidfd;
    return process_read_pinned(pidfd, pid, ret_stat);
}

int peer_identify(int fd, struct peer_identity *ret_identity)
{
    struct process_stat stat = {0};
    struct ucred credentials;
    socklen_t length = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return -errno;
    int pidfd = pin_peer(fd, credentials.pid, &stat);
    *ret_identity = (struct peer_identity){
        .pid = credentials.pid,
        .uid = credentials.uid,
        .start_ticks = pidfd >= 0 ? stat.start_ticks : 0,
        .parent = pidfd >= 0 ? stat.parent : 0,
        .pidfd = pidfd >= 0 ? pidfd : -1,
        .ended = pidfd < 0,
    };
    return 0;
}

static void read_control(struct msghdr *message, struct peer_packet *packet)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        struct ucred sender;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
            c->cmsg_len < CMSG_LEN(sizeof sender))
            continue;
        memcpy(&sender, CMSG_DATA(c), sizeof sender);
        packet->pid = sender.pid;
        packet->uid = sender.uid;
        packet->has_sender = true;
    }
}

int peer_receive(int fd, void *buffer, size_t size_bytes, struct peer_packet *ret_packet)
{
    /* Room for the sender's credentials and nothing else. */
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec bytes = {.iov_base = buffer, .iov_len = size_bytes};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n < 0)
        return -errno;
    *ret_packet = (struct peer_packet){
        .length_bytes = (size_t) n,
        .cut = (message.msg_flags & MSG_TRUNC) != 0,
        .had_surplus = (message.msg_flags & MSG_CTRUNC) != 0,
    };
    read_control(&message, ret_packet);
    /* An empty packet has a sender, the end of the connection has none. */
    return n > 0 || ret_packet->has_sender ? 1 : 0;
}
