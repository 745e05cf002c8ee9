/*
 * batch.h - messages of requests, collected into one packet and sent by one system call.
 *
 * The packet is written in the outbox of the recorder page where there is a shared one, else in
 * memory of the batch.  At a request's end it is sent, unless the collector has asked a busy worker
 * to hold it (`hold_us` of the page): then it stays until it is large, or old when another request
 * ends.  Meanwhile the collector reads what is finished in the page, also after any death, so that
 * nothing gets lost or late by waiting here.
 *
 * A packet that is full goes out early.  Without a connection it waits for one, and takes further
 * messages as long as they fit; it can be read in the page meanwhile; where there never was a
 * connection nothing is collected.  What is lost is counted; `lost_at` changes with every loss and
 * every new connection, so that who relies on an earlier message (the text of a stack) can say it
 * again.
 */
#ifndef FPMSCOPE_EMIT_BATCH_H
#define FPMSCOPE_EMIT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emit/link.h"
#include "fpmscope/recorder.h"
#include "fpmscope/wire.h"

enum {
    BATCH_HOLD_BYTES = 8192,     /* more are not held: the rest is room for one request's */
    BATCH_HOLD_MAX_US = 1000000, /* whatever the page says */
};

struct batch {
    struct link *link;              /* borrowed */
    struct recorder_outbox *outbox; /* where the packet is written: the page's, or `own` */
    const uint64_t *hold_us;        /* in the page, written by the collector; NULL: never hold */
    size_t len_bytes;               /* of the packet */
    uint32_t generation;            /* of the outbox */
    bool may_hold;                  /* the packet begins with PACKET */
    bool is_cut;                    /* it waits for a connection, and something found no room */
    int64_t held_since_us;          /* end of its first request, 0: none has ended */
    uint32_t lost_at;
    struct recorder_outbox own;
};

/* Empty, in memory of its own: of a new process. */
void batch_init(struct batch *batch, struct link *link);

/* From now on the packet is written in a shared page.  Both are borrowed. */
void batch_share(struct batch *batch, struct recorder_outbox *outbox, const uint64_t *hold_us);

/* `message` is the struct of wire_messages[index].  False: not taken (no connection, or larger than
 * a packet). */
bool batch_add(struct batch *batch, size_t index, const void *message);

/* A request has ended: what is there is complete.  Send it, or show it in the page. */
void batch_end_request(struct batch *batch, int64_t now_us);

/* Send what is there.  It stays when there is no connection (any more). */
void batch_flush(struct batch *batch);

#endif
