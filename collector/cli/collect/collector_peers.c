/* collector_peers.c - accept, read, and learn of deaths. */
#include "cli/collect/collector_peers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uthash.h>
#include <utlist.h>

#include "base/proc.h"
#include "cli/collect/collector_internal.h"
#include "net/peer.h"

struct process_key {
    int64_t pid;
    uint64_t start_ticks;
};

/* A process whose end is being waited for. */
struct pinned {
    struct collector_peers *peers;
    struct process_key key;
    int pidfd;
    struct loop_watch *watch;
    struct connection *connections;
    unsigned connection_count;
    UT_hash_handle hh;
};

struct connection {
    struct collector_peers *peers;
    int fd;
    struct loop_watch *watch;
    struct peer_identity identity;
    struct pinned *process; /* NULL: it had ended before it could be pinned */
    uint32_t packets;       /* in this second */
    bool paused;
    struct connection *prev, *next;
};

struct collector_peers {
    struct loop *loop;
    struct ingest *ingest;
    const struct listener *listener;
    struct loop_watch *path_watch, *abstract_watch;
    bool accepting_paused;
    struct pinned *pinned;
    struct connection *unpinned; /* their processes ended before we looked */
    size_t connection_count;
    uint8_t buffer[INGEST_PACKET_MAX_BYTES];
};

/* ---- connections ---- */

static void connection_close(struct connection *connection)
{
    struct collector_peers *peers = connection->peers;

    if (connection->process) {
        DL_DELETE(connection->process->connections, connection);
        connection->process->connection_count--;
    } else {
        DL_DELETE(peers->unpinned, connection);
    }
    loop_watch_free(connection->watch);
    close(connection->fd);
    free(connection);
    peers->connection_count--;
}

/* Another process of the same socket: a grandchild of the worker, or somebody it was passed to. */
static bool is_own_packet(const struct connection *connection, const struct peer_packet *packet)
{
    return packet->has_sender && packet->pid == connection->identity.pid;
}

static void take_packet(struct connection *connection, const struct peer_packet *packet)
{
    struct collector_peers *peers = connection->peers;
    const struct ingest_sender sender = {
        .pid = connection->identity.pid,
        .parent = connection->identity.parent,
        .start_ticks = connection->identity.start_ticks,
        .uid = packet->uid,
    };

    connection->packets++;
    if (packet->had_surplus)
        ingest_count(peers->ingest, "refused_descriptors", 1);
    if (!is_own_packet(connection, packet))
        ingest_count(peers->ingest, "foreign_packets", 1);
    else if (packet->cut)
        ingest_count(peers->ingest, "damaged_packets", 1);
    else
        ingest_packet(peers->ingest, &sender, peers->buffer, packet->length_bytes,
                      collector_now_us());
}

/* Up to `most` packets.  1: there may be more; 0: none now; -errno: the connection is at its end.
 */
static int read_packets(struct connection *connection, int most)
{
    struct collector_peers *peers = connection->peers;
    struct peer_packet packet;

    for (int i = 0; i < most; i++) {
        int r = peer_receive(connection->fd, peers->buffer, sizeof peers->buffer, &packet);

        if (r == -EAGAIN)
            return 0;
        if (r == -EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? r : -ECONNRESET;
        take_packet(connection, &packet);
    }
    return 1;
}

static struct pinned *find_pinned_pid(const struct collector_peers *peers, pid_t pid)
{
    for (struct pinned *pinned = peers->pinned; pinned; pinned = pinned->hh.next)
        if (pinned->key.pid == pid)
            return pinned;
    return NULL;
}

/* The link is lost.  That is no death, unless the process was gone from the beginning and no pidfd
 * will tell of it. */
static void link_lost(struct connection *connection)
{
    struct collector_peers *peers = connection->peers;

    if (!connection->process && !find_pinned_pid(peers, connection->identity.pid))
        ingest_ended(peers->ingest, connection->identity.pid, 0, collector_now_us());
    connection_close(connection);
}

static void on_readable(void *ctx)
{
    struct connection *connection = ctx;
    int r = read_packets(connection, PEER_PACKETS_PER_TURN);

    if (r < 0) {
        link_lost(connection);
    } else if (connection->packets > PEER_PACKETS_PER_SECOND && !connection->paused) {
        ingest_count(connection->peers->ingest, "paused_peers", 1);
        connection->paused = true;
        loop_watch_pause(connection->watch, true);
    }
}

/* ---- processes ---- */

static void close_all(struct connection *connections)
{
    while (connections) {
        struct connection *next = connections->next;

        connection_close(connections);
        connections = next;
    }
}

static void pinned_free(struct pinned *pinned)
{
    HASH_DEL(pinned->peers->pinned, pinned);
    close_all(pinned->connections);
    loop_watch_free(pinned->watch);
    close(pinned->pidfd);
    free(pinned);
}

/* Nobody else gets a turn meanwhile. */
static void read_all(struct connection *connections)
{
    for (struct connection *connection = connections; connection; connection = connection->next)
        read_packets(connection, PEER_PACKETS_PER_SECOND);
}

/* What it said before it died is in its sockets, the last of which may not be accepted yet; the
 * page is read after that. */
static void on_ended(void *ctx)
{
    struct pinned *pinned = ctx;
    struct collector_peers *peers = pinned->peers;

    if (!process_pinned_ended(pinned->pidfd)) /* a wrong word here would silence the living */
        return;
    read_all(pinned->connections);
    collector_peers_catch_up(peers);
    ingest_ended(peers->ingest, (pid_t) pinned->key.pid, pinned->key.start_ticks,
                 collector_now_us());
    pinned_free(pinned);
}

static struct pinned *find_pinned(struct collector_peers *peers, pid_t pid, uint64_t start_ticks)
{
    const struct process_key key = {.pid = pid, .start_ticks = start_ticks};
    struct pinned *pinned;

    HASH_FIND(hh, peers->pinned, &key, sizeof key, pinned);
    return pinned;
}

/* Takes the pidfd. */
static struct pinned *pin(struct collector_peers *peers, pid_t pid, uint64_t start_ticks, int pidfd)
{
    struct pinned *pinned = find_pinned(peers, pid, start_ticks);

    if (pinned) {
        close(pidfd);
        return pinned;
    }
    pinned = calloc(1, sizeof *pinned);
    if (!pinned || loop_watch_fd(peers->loop, pidfd, on_ended, pinned, &pinned->watch) < 0) {
        free(pinned);
        close(pidfd);
        return NULL;
    }
    pinned->peers = peers;
    pinned->pidfd = pidfd;
    pinned->key = (struct process_key){.pid = pid, .start_ticks = start_ticks};
    HASH_ADD(hh, peers->pinned, key, sizeof pinned->key, pinned);
    return pinned;
}

/* Who has no connection may be at the door.  An end that is found here is found by the loop, too.
 */
bool collector_peers_drain(struct collector_peers *peers, pid_t pid, uint64_t start_ticks)
{
    const struct pinned *pinned = find_pinned(peers, pid, start_ticks);

    if (!pinned || !pinned->connections) {
        collector_peers_catch_up(peers);
        pinned = find_pinned(peers, pid, start_ticks);
    }
    for (struct connection *connection = pinned ? pinned->connections : NULL; connection;
         connection = connection->next)
        if (connection->paused || read_packets(connection, PEER_PACKETS_PER_TURN) > 0)
            return false;
    return true;
}

void collector_peers_watch(struct collector_peers *peers, pid_t pid, uint64_t start_ticks)
{
    struct process_stat stat;

    if (find_pinned(peers, pid, start_ticks))
        return;
    int pidfd = process_pin(pid, &stat);
    if (pidfd >= 0 && stat.start_ticks == start_ticks) {
        pin(peers, pid, start_ticks, pidfd);
        return;
    }
    if (pidfd >= 0)
        close(pidfd);
    ingest_ended(peers->ingest, pid, start_ticks, collector_now_us());
}

/* ---- accepting ---- */

static bool may_connect(struct collector_peers *peers, const struct peer_identity *identity,
                        bool by_path)
{
    const struct ingest_sender sender = {
        .pid = identity->pid,
        .parent = identity->parent,
        .start_ticks = identity->start_ticks,
        .uid = identity->uid,
    };

    if (by_path || identity->uid == 0 || identity->uid == geteuid())
        return true;
    return !identity->ended && ingest_knows(peers->ingest, &sender);
}

/* NULL: it had ended before it could be pinned, or cannot be watched.  Takes the pidfd. */
static struct pinned *pin_identity(struct collector_peers *peers, struct peer_identity *identity)
{
    const int pidfd = identity->pidfd;

    identity->pidfd = -1;
    return pidfd < 0 ? NULL : pin(peers, identity->pid, identity->start_ticks, pidfd);
}

static void connection_list(struct connection *connection)
{
    if (connection->process) {
        DL_APPEND(connection->process->connections, connection);
        connection->process->connection_count++;
    } else {
        DL_APPEND(connection->peers->unpinned, connection);
    }
    connection->peers->connection_count++;
}

static int connection_new(struct collector_peers *peers, int fd, struct peer_identity identity)
{
    struct pinned *process = pin_identity(peers, &identity);

    if (process && process->connection_count >= PEER_CONNECTIONS_MAX)
        return -EDQUOT;
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return -ENOMEM;
    connection->peers = peers;
    connection->fd = fd;
    connection->identity = identity;
    connection->process = process;
    int r = loop_watch_fd(peers->loop, fd, on_readable, connection, &connection->watch);
    if (r < 0) {
        free(connection);
        return r;
    }
    connection_list(connection);
    return 0;
}

static void welcome(struct collector_peers *peers, int fd, bool by_path)
{
    struct peer_identity identity;

    if (peers->connection_count >= PEERS_MAX || peer_identify(fd, &identity) < 0) {
        ingest_count(peers->ingest, "refused_connections", 1);
        close(fd);
        return;
    }
    if (!may_connect(peers, &identity, by_path)) {
        ingest_count(peers->ingest, "strangers", 1);
        if (identity.pidfd >= 0)
            close(identity.pidfd);
        close(fd);
        return;
    }
    if (connection_new(peers, fd, identity) < 0) {
        ingest_count(peers->ingest, "refused_connections", 1);
        close(fd);
    }
}

static void pause_accepting(struct collector_peers *peers, bool paused)
{
    peers->accepting_paused = paused;
    loop_watch_pause(peers->path_watch, paused);
    if (peers->abstract_watch)
        loop_watch_pause(peers->abstract_watch, paused);
}

static void accept_some(struct collector_peers *peers, int listening_fd, bool by_path, int most)
{
    for (int i = 0; i < most; i++) {
        int fd = peer_accept(listening_fd);

        if (fd >= 0) {
            welcome(peers, fd, by_path);
        } else if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
            /* The waiting connection stays readable: without a pause this would spin. */
            ingest_count(peers->ingest, "refused_connections", 1);
            pause_accepting(peers, true);
            return;
        } else {
            return;
        }
    }
}

static void on_path(void *ctx)
{
    struct collector_peers *peers = ctx;

    accept_some(peers, peers->listener->path_fd, true, PEER_PACKETS_PER_TURN);
}

static void on_abstract(void *ctx)
{
    struct collector_peers *peers = ctx;

    accept_some(peers, peers->listener->abstract_fd, false, PEER_PACKETS_PER_TURN);
}

static void accept_all(struct collector_peers *peers)
{
    accept_some(peers, peers->listener->path_fd, true, LISTENER_BACKLOG);
    if (peers->listener->abstract_fd >= 0)
        accept_some(peers, peers->listener->abstract_fd, false, LISTENER_BACKLOG);
}

/* ---- before somebody is declared dead ---- */

/* An older connection of the same process comes first. */
static void read_to_the_end(struct connection *connection)
{
    struct pinned *pinned = find_pinned_pid(connection->peers, connection->identity.pid);

    if (pinned)
        read_all(pinned->connections);
    if (read_packets(connection, PEER_PACKETS_PER_SECOND) < 0)
        link_lost(connection);
}

void collector_peers_catch_up(struct collector_peers *peers)
{
    struct connection *connection, *next;

    accept_all(peers);
    DL_FOREACH_SAFE(peers->unpinned, connection, next)
    {
        read_to_the_end(connection);
    }
}

/* Whoever sends from here on learns that nobody listens; what was sent is still there. */
static void hang_up_all(struct connection *connections)
{
    for (struct connection *connection = connections; connection; connection = connection->next)
        shutdown(connection->fd, SHUT_RD);
    read_all(connections);
}

static void hang_up_process(struct pinned *pinned)
{
    hang_up_all(pinned->connections);
    if (process_pinned_ended(pinned->pidfd))
        on_ended(pinned);
}

void collector_peers_hang_up(struct collector_peers *peers)
{
    struct pinned *pinned, *next;

    shutdown(peers->listener->path_fd, SHUT_RD);
    if (peers->listener->abstract_fd >= 0)
        shutdown(peers->listener->abstract_fd, SHUT_RD);
    collector_peers_catch_up(peers);
    HASH_ITER(hh, peers->pinned, pinned, next)
    {
        hang_up_process(pinned);
    }
    hang_up_all(peers->unpinned);
}

/* ---- life ---- */

static void let_speak(struct connection *connections)
{
    for (struct connection *connection = connections; connection; connection = connection->next) {
        connection->packets = 0;
        if (connection->paused)
            loop_watch_pause(connection->watch, false);
        connection->paused = false;
    }
}

void collector_peers_second(struct collector_peers *peers)
{
    let_speak(peers->unpinned);
    for (struct pinned *pinned = peers->pinned; pinned; pinned = pinned->hh.next)
        let_speak(pinned->connections);
    if (peers->accepting_paused)
        pause_accepting(peers, false);
}

int collector_peers_new(struct loop *loop, struct ingest *ingest, const struct listener *listener,
                        struct collector_peers **ret_peers)
{
    struct collector_peers *peers = calloc(1, sizeof *peers);

    if (!peers)
        return -ENOMEM;
    peers->loop = loop;
    peers->ingest = ingest;
    peers->listener = listener;
    int r = loop_watch_fd(loop, listener->path_fd, on_path, peers, &peers->path_watch);
    if (r == 0 && listener->abstract_fd >= 0)
        r = loop_watch_fd(loop, listener->abstract_fd, on_abstract, peers, &peers->abstract_watch);
    if (r < 0) {
        collector_peers_free(peers);
        return r;
    }
    *ret_peers = peers;
    return 0;
}

void collector_peers_free(struct collector_peers *peers)
{
    if (!peers)
        return;
    while (peers->pinned)
        pinned_free(peers->pinned);
    close_all(peers->unpinned);
    loop_watch_free(peers->path_watch);
    loop_watch_free(peers->abstract_watch);
    free(peers);
}
