/*
 * collector_peers.h - connections and pidfds of workers: who may speak, how much, until when.
 *
 * A connection that came by the path is root's or the user's own; one that came by the abstract
 * name must be a known worker or a child of a genuine master.  A packet counts only when the
 * process that sent it is the one that connected: a grandchild that inherited the descriptor is
 * not.  A peer that sends more than PEER_PACKETS_PER_SECOND is not read until the next second; one
 * that opens more than PEER_CONNECTIONS_MAX is hung up on, so that nobody takes all descriptors.
 */
#ifndef FPMSCOPE_CLI_COLLECT_COLLECTOR_PEERS_H
#define FPMSCOPE_CLI_COLLECT_COLLECTOR_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

#include "ingest/ingest.h"
#include "net/listener.h"
#include "net/loop.h"

enum {
    PEER_PACKETS_PER_SECOND = 20000,
    PEER_PACKETS_PER_TURN = 64, /* then others get their turn */
    PEER_CONNECTIONS_MAX = 4,   /* of one process; the shim needs one, two while it reconnects */
    PEERS_MAX = 32768,
};

struct collector_peers;

int collector_peers_new(struct loop *loop, struct ingest *ingest, const struct listener *listener,
                        struct collector_peers **ret_peers);
void collector_peers_free(struct collector_peers *peers);

/* Watch for the end of a worker that was found without a connection. */
void collector_peers_watch(struct collector_peers *peers, pid_t pid, uint64_t start_ticks);

/* Take what waits at the doors, and all that processes said which had ended before they were
 * accepted: who looks for the dead by their pages would silence them. */
void collector_peers_catch_up(struct collector_peers *peers);

/* The collector stops: nothing can be sent from here on; what was sent, and who has died, is told.
 * Before collector_peers_free(). */
void collector_peers_hang_up(struct collector_peers *peers);

/* Read all that this process has sent so far; false when there may be more. */
bool collector_peers_drain(struct collector_peers *peers, pid_t pid, uint64_t start_ticks);

/* Once a second: who was over the limit may speak again, and new connections are taken again. */
void collector_peers_second(struct collector_peers *peers);

#endif
