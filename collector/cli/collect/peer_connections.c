/* peer_connections.c - see peer_connections.h. */
#include "cli/collect/peer_connections.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <utlist.h>

#include "base/proc.h"
#include "cli/collect/collector_internal.h"

/* ---- processes ---- */

struct peer_process *peer_process_find_pid(const struct collector_peers *peers, pid_t pid)
{
    for (struct peer_process *process = peers->processes; process; process = process->hh.next)
        if (process->key.pid == pid)
            return process;
    return NULL;
}

struct peer_process *peer_process_find(struct collector_peers *peers, pid_t pid,
                                       uint64_t start_ticks)
{
    const struct peer_key key = {.pid = pid, .start_ticks = start_ticks};
    struct peer_process *process;

    HASH_FIND(hh, peers->processes, &key, sizeof key, process);
    return process;
}

struct peer_process *peer_process_pin(struct collector_peers *peers, pid_t pid,
                                      uint64_t start_ticks, int pidfd)
{
    struct peer_process *process = peer_process_find(peers, pid, start_ticks);

    if (process) {
        close(pidfd);
        return process;
    }
    process = calloc(1, sizeof *process);
    if (!process ||
        loop_watch_fd(peers->loop, pidfd, peers->on_ended, process, &process->watch) < 0) {
        free(process);
        close(pidfd);
        return NULL;
    }
    process->peers = peers;
    process->pidfd = pidfd;
    process->key = (struct peer_key){.pid = pid, .start_ticks = start_ticks};
    HASH_ADD(hh, peers->processes, key, sizeof process->key, process);
    return process;
}

/* ---- connections ---- */

static void peer_connection_close(struct peer_connection *connection)
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
static bool is_own_packet(const struct peer_connection *connection,
                          const struct peer_packet *packet)
{
    return packet->has_sender && packet->pid == connection->identity.pid;
}

static void take_packet(struct peer_connection *connection, const struct peer_packet *packet)
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

int peer_connection_read(struct peer_connection *connection, int most)
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

void peer_connection_lost(struct peer_connection *connection)
{
    struct collector_peers *peers = connection->peers;

    if (!connection->process && !peer_process_find_pid(peers, connection->identity.pid))
        ingest_ended(peers->ingest, connection->identity.pid, 0, collector_now_us());
    peer_connection_close(connection);
}

static void on_readable(void *ctx)
{
    struct peer_connection *connection = ctx;
    int r = peer_connection_read(connection, PEER_PACKETS_PER_TURN);

    if (r < 0) {
        peer_connection_lost(connection);
    } else if (connection->packets > PEER_PACKETS_PER_SECOND && !connection->paused) {
        ingest_count(connection->peers->ingest, "paused_peers", 1);
        connection->paused = true;
        loop_watch_pause(connection->watch, true);
    }
}

/* NULL: it had ended before it could be pinned, or cannot be watched.  Takes the pidfd. */
static struct peer_process *pin_identity(struct collector_peers *peers,
                                         struct peer_identity *identity)
{
    const int pidfd = identity->pidfd;

    identity->pidfd = -1;
    return pidfd < 0 ? NULL : peer_process_pin(peers, identity->pid, identity->start_ticks, pidfd);
}

static void connection_list(struct peer_connection *connection)
{
    if (connection->process) {
        DL_APPEND(connection->process->connections, connection);
        connection->process->connection_count++;
    } else {
        DL_APPEND(connection->peers->unpinned, connection);
    }
    connection->peers->connection_count++;
}

int peer_connection_new(struct collector_peers *peers, int fd, struct peer_identity identity)
{
    struct peer_process *process = pin_identity(peers, &identity);

    if (process && process->connection_count >= PEER_CONNECTIONS_MAX)
        return -EDQUOT;
    struct peer_connection *connection = calloc(1, sizeof *connection);
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

/* ---- all of a process ---- */

void peer_connections_close(struct peer_connection *connections)
{
    while (connections) {
        struct peer_connection *next = connections->next;

        peer_connection_close(connections);
        connections = next;
    }
}

void peer_connections_read(struct peer_connection *connections)
{
    for (struct peer_connection *connection = connections; connection;
         connection = connection->next)
        peer_connection_read(connection, PEER_PACKETS_PER_SECOND);
}

void peer_process_free(struct peer_process *process)
{
    HASH_DEL(process->peers->processes, process);
    peer_connections_close(process->connections);
    loop_watch_free(process->watch);
    close(process->pidfd);
    free(process);
}
