/* collector_peers.c - who has died, and what he said before. */
#include "cli/collect/collector_peers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utlist.h>

#include "base/proc.h"
#include "cli/collect/collector_internal.h"
#include "cli/collect/peer_connections.h"
#include "cli/collect/peer_doors.h"

/* ---- before somebody is declared dead ---- */

/* An older connection of the same process comes first. */
static void read_to_the_end(struct peer_connection *connection)
{
    struct peer_process *process =
        peer_process_find_pid(connection->peers, connection->identity.pid);

    if (process)
        peer_connections_read(process->connections);
    if (peer_connection_read(connection, PEER_PACKETS_PER_SECOND) < 0)
        peer_connection_lost(connection);
}

void collector_peers_catch_up(struct collector_peers *peers)
{
    struct peer_connection *connection, *next;

    peer_doors_accept_all(peers);
    DL_FOREACH_SAFE(peers->unpinned, connection, next)
    {
        read_to_the_end(connection);
    }
}

/* ---- processes ---- */

/* What it said before it died is in its sockets, the last of which may not be accepted yet; the
 * page is read after that. */
static void on_ended(void *ctx)
{
    struct peer_process *process = ctx;
    struct collector_peers *peers = process->peers;

    if (!process_pinned_ended(process->pidfd)) /* a wrong word here would silence the living */
        return;
    peer_connections_read(process->connections);
    collector_peers_catch_up(peers);
    ingest_ended(peers->ingest, (pid_t) process->key.pid, process->key.start_ticks,
                 collector_now_us());
    peer_process_free(process);
}

/* Who has no connection may be at the door.  An end that is found here is found by the loop, too.
 */
bool collector_peers_drain(struct collector_peers *peers, pid_t pid, uint64_t start_ticks)
{
    const struct peer_process *process = peer_process_find(peers, pid, start_ticks);

    if (!process || !process->connections) {
        collector_peers_catch_up(peers);
        process = peer_process_find(peers, pid, start_ticks);
    }
    for (struct peer_connection *connection = process ? process->connections : NULL; connection;
         connection = connection->next)
        if (connection->paused || peer_connection_read(connection, PEER_PACKETS_PER_TURN) > 0)
            return false;
    return true;
}

void collector_peers_watch(struct collector_peers *peers, pid_t pid, uint64_t start_ticks)
{
    struct process_stat stat;

    if (peer_process_find(peers, pid, start_ticks))
        return;
    int pidfd = process_pin(pid, &stat);
    if (pidfd >= 0 && stat.start_ticks == start_ticks) {
        peer_process_pin(peers, pid, start_ticks, pidfd);
        return;
    }
    if (pidfd >= 0)
        close(pidfd);
    ingest_ended(peers->ingest, pid, start_ticks, collector_now_us());
}

/* ---- the end of the collector ---- */

/* Whoever sends from here on learns that nobody listens; what was sent is still there. */
static void hang_up_all(struct peer_connection *connections)
{
    for (struct peer_connection *connection = connections; connection;
         connection = connection->next)
        shutdown(connection->fd, SHUT_RD);
    peer_connections_read(connections);
}

static void hang_up_process(struct peer_process *process)
{
    hang_up_all(process->connections);
    if (process_pinned_ended(process->pidfd))
        on_ended(process);
}

void collector_peers_hang_up(struct collector_peers *peers)
{
    struct peer_process *process, *next;

    peer_doors_hang_up(peers);
    collector_peers_catch_up(peers);
    HASH_ITER(hh, peers->processes, process, next)
    {
        hang_up_process(process);
    }
    hang_up_all(peers->unpinned);
}

/* ---- life ---- */

static void let_speak(struct peer_connection *connections)
{
    for (struct peer_connection *connection = connections; connection;
         connection = connection->next) {
        connection->packets = 0;
        if (connection->paused)
            loop_watch_pause(connection->watch, false);
        connection->paused = false;
    }
}

void collector_peers_second(struct collector_peers *peers)
{
    let_speak(peers->unpinned);
    for (struct peer_process *process = peers->processes; process; process = process->hh.next)
        let_speak(process->connections);
    peer_doors_go_on(peers);
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
    peers->on_ended = on_ended;
    int r = peer_doors_open(peers);
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
    while (peers->processes)
        peer_process_free(peers->processes);
    peer_connections_close(peers->unpinned);
    peer_doors_close(peers);
    free(peers);
}
