/*
 * batch.h - messages of a request, collected into one packet and sent by one system call.
 *
 * A packet that is full goes out early.  Without a connection nothing is collected.  What is lost
 * is counted; `lost_at` changes with every loss, so that who relies on an earlier message (the text
 * of a stack) can say it again.
 */
#ifndef FPMSCOPE_EMIT_BATCH_H
#define FPMSCOPE_EMIT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emit/link.h"
#include "fpmscope/wire.h"

struct batch {
    struct link *link; /* borrowed */
    size_t len_bytes;
    uint32_t lost_at;
    uint8_t packet[WIRE_PACKET_MAX_BYTES];
};

/* `message` is the struct of wire_messages[index].  False: not taken (no connection, or larger than
 * a packet). */
bool batch_add(struct batch *batch, size_t index, const void *message);

/* Send what is there. */
void batch_flush(struct batch *batch);

/* Throw away what is there: it was meant for another collector, or another process. */
void batch_clear(struct batch *batch);

#endif
