/*
 * peer_connections.h - who is connected, and the process behind each connection: what the files of
 * collector_peers.h share.
 *
 *   peer_process      is waited for by its pidfd; owns its connections
 *   peer_connection   is read in turns; without a process when that had ended before it was pinned
 *
 * What the end of a process means is the business of collector_peers.c (`on_ended`).
 */
#ifndef FPMSCOPE_CLI_COLLECT_PEER_CONNECTIONS_H
#define FPMSCOPE_CLI_COLLECT_PEER_CONNECTIONS_H

#include <uthash.h>

#include "cli/collect/collector_peers.h"
#include "net/peer.h"

struct peer_key {
    int64_t pid;
    uint64_t start_ticks;
};

/* A process whose end is being waited for. */
struct peer_process {
    struct collector_peers *peers;
    struct peer_key key;
    int pidfd;
    struct loop_watch *watch;
    struct peer_connection *connections;
    unsigned connection_count;
    UT_hash_handle hh;
};

struct peer_connection {
    struct collector_peers *peers;
    int fd;
    struct loop_watch *watch;
    struct peer_identity identity;
    struct peer_process *process; /* NULL: it had ended before it could be pinned */
    uint32_t packets;             /* in this second */
    bool paused;
    struct peer_connection *prev, *next;
};

struct collector_peers {
    struct loop *loop;
    struct ingest *ingest;
    const struct listener *listener;
    loop_fn on_ended; /* of a process, which is its argument */
    struct loop_watch *path_watch, *abstract_watch;
    bool accepting_paused;
    struct peer_process *processes;
    struct peer_connection *unpinned; /* their processes ended before we looked */
    size_t connection_count;
    uint8_t buffer[INGEST_PACKET_MAX_BYTES];
};

/* 0: the descriptor is the connection's; or -errno, -EDQUOT when the process has too many.  Takes
 * the pidfd of `identity` in any case. */
int peer_connection_new(struct collector_peers *peers, int fd, struct peer_identity identity);

/* Up to `most` packets.  1: there may be more; 0: none now; -errno: the connection is at its end.
 */
int peer_connection_read(struct peer_connection *connection, int most);

/* Its other side is gone: close it.  That is no death, unless the process was gone from the
 * beginning and no pidfd will tell of it. */
void peer_connection_lost(struct peer_connection *connection);

/* A list of them: all that they have to say, nobody else gets a turn meanwhile; and their end. */
void peer_connections_read(struct peer_connection *connections);
void peer_connections_close(struct peer_connection *connections);

struct peer_process *peer_process_find(struct collector_peers *peers, pid_t pid,
                                       uint64_t start_ticks);
struct peer_process *peer_process_find_pid(const struct collector_peers *peers, pid_t pid);

/* Find it, or wait for its end from now on; NULL when it cannot be watched.  Takes the pidfd. */
struct peer_process *peer_process_pin(struct collector_peers *peers, pid_t pid,
                                      uint64_t start_ticks, int pidfd);

/* With its connections. */
void peer_process_free(struct peer_process *process);

#endif
