/* link.c - see link.h. */
#include "emit/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/real.h"
#include "banned.h"

static const char link_prefix[] = "fpmscope:";

void link_init(struct link *link, const char *path, uint32_t uid)
{
    *link = (struct link){.fd = -1, .path = path, .own_uid = uid, .retry_ms = LINK_RETRY_FIRST_MS};
}

static int link_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int moved, send_bytes = LINK_SEND_BUFFER_BYTES;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
    moved = fcntl(fd, F_DUPFD_CLOEXEC, LINK_FD_MIN);
    if (moved < 0) /* a low RLIMIT_NOFILE; a low number does no harm by itself */
        return fd;
    real.close(fd);
    return moved;
}

static int link_peer_uid(int fd, uint32_t *ret_uid)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return -errno;
    *ret_uid = peer.uid;
    return 0;
}

/* Connect a new socket to `address`; on success it is the link's.  Somebody else may sit there:
 * what workers say is for root and for the user who was met before (at first: our own) only. */
static int link_open(struct link *link, const struct sockaddr_un *address, size_t len_bytes)
{
    int r, fd = link_socket();
    uint32_t uid = 0;

    if (fd < 0)
        return fd;
    r = connect(fd, (const struct sockaddr *) address, (socklen_t) len_bytes) < 0 ? -errno : 0;
    if (r == 0)
        r = link_peer_uid(fd, &uid);
    if (r == 0 && uid != 0 && uid != link->own_uid)
        r = -EPERM;
    if (r < 0) {
        real.close(fd);
        return r;
    }
    link->fd = fd;
    link->has_met = true;
    link->retry_ms = LINK_RETRY_FIRST_MS;
    return 0;
}

int link_connect(struct link *link)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(link->path);

    if (len == 0 || len >= sizeof address.sun_path)
        return -ENOENT;
    memcpy(address.sun_path, link->path, len + 1);
    return link_open(link, &address, sizeof address);
}

static int link_connect_abstract(struct link *link)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t prefix = sizeof link_prefix - 1, len = strlen(link->path);

    if (len == 0 || 1 + prefix + len > sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path + 1, link_prefix, prefix);
    memcpy(address.sun_path + 1 + prefix, link->path, len);
    return link_open(link, &address, offsetof(struct sockaddr_un, sun_path) + 1 + prefix + len);
}

bool link_reconnect(struct link *link, int64_t now_us)
{
    int64_t wait_ms;

    if (link->fd >= 0 || now_us < link->retry_at_us)
        return false;
    wait_ms = link->retry_ms;
    if (link_connect_abstract(link) == 0)
        return true;
    link->retry_at_us = now_us + wait_ms * 1000;
    link->retry_ms = wait_ms * 2 < LINK_RETRY_MAX_MS ? wait_ms * 2 : LINK_RETRY_MAX_MS;
    return false;
}

void link_close(struct link *link)
{
    if (link->fd >= 0)
        real.close(link->fd);
    link->fd = -1;
}

bool link_send(struct link *link, const void *packet, size_t len_bytes)
{
    if (link->fd < 0)
        return false;
    if (send(link->fd, packet, len_bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t) len_bytes)
        return true;
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == EMSGSIZE)
        link->dropped_packets++;
    else
        link_close(link);
    return false;
}
