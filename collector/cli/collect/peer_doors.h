/*
 * peer_doors.h - the two listening sockets: who comes in, and for how long nobody does.
 *
 * By the path come root and the user himself, by the abstract name anybody may try.
 */
#ifndef FPMSCOPE_CLI_COLLECT_PEER_DOORS_H
#define FPMSCOPE_CLI_COLLECT_PEER_DOORS_H

#include "cli/collect/peer_connections.h"

int peer_doors_open(struct collector_peers *peers);
void peer_doors_close(struct collector_peers *peers);

/* Take everybody who waits. */
void peer_doors_accept_all(struct collector_peers *peers);

/* Nobody can say anything through them from here on; who waits can still be taken. */
void peer_doors_hang_up(struct collector_peers *peers);

/* After a pause, which began when descriptors or memory had run out. */
void peer_doors_go_on(struct collector_peers *peers);

#endif
