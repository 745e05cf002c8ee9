/* peer_doors.c - see peer_doors.h. */
#include "cli/collect/peer_doors.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

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
    if (peer_connection_new(peers, fd, identity) < 0) {
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

void peer_doors_accept_all(struct collector_peers *peers)
{
    accept_some(peers, peers->listener->path_fd, true, LISTENER_BACKLOG);
    if (peers->listener->abstract_fd >= 0)
        accept_some(peers, peers->listener->abstract_fd, false, LISTENER_BACKLOG);
}

int peer_doors_open(struct collector_peers *peers)
{
    const struct listener *listener = peers->listener;
    int r = loop_watch_fd(peers->loop, listener->path_fd, on_path, peers, &peers->path_watch);

    if (r == 0 && listener->abstract_fd >= 0)
        r = loop_watch_fd(peers->loop, listener->abstract_fd, on_abstract, peers,
                          &peers->abstract_watch);
    return r;
}

void peer_doors_close(struct collector_peers *peers)
{
    loop_watch_free(peers->path_watch);
    loop_watch_free(peers->abstract_watch);
}

void peer_doors_hang_up(struct collector_peers *peers)
{
    shutdown(peers->listener->path_fd, SHUT_RD);
    if (peers->listener->abstract_fd >= 0)
        shutdown(peers->listener->abstract_fd, SHUT_RD);
}

void peer_doors_go_on(struct collector_peers *peers)
{
    if (peers->accepting_paused)
        pause_accepting(peers, false);
}
