/* batch.c - see batch.h. */
#include "emit/batch.h"

#include <string.h>

#include "fpmscope/wire_codec.h"
#include "banned.h"

enum { BATCH_HEAD_MAX_BYTES = 32 }; /* of PACKET */

_Static_assert((int) RECORDER_OUTBOX_BYTES == (int) WIRE_PACKET_MAX_BYTES, "an outbox is a packet");

void batch_init(struct batch *batch, struct link *link)
{
    batch->link = link;
    batch->outbox = &batch->own;
    batch->hold_us = NULL;
    batch->len_bytes = 0;
    batch->may_hold = false;
    batch->is_cut = false;
}

void batch_share(struct batch *batch, struct recorder_outbox *outbox, const uint64_t *hold_us)
{
    batch->len_bytes = 0; /* a new process has said nothing yet */
    batch->outbox = outbox;
    batch->hold_us = hold_us;
    batch->generation = 0;
}

static bool batch_encode(struct batch *batch, size_t index, const void *message)
{
    size_t len =
        wire_encode(&wire_messages[index], message, batch->outbox->bytes + batch->len_bytes,
                    sizeof batch->outbox->bytes - batch->len_bytes);

    batch->len_bytes += len;
    return len > 0;
}

/* The collector's word, not believed beyond a second. */
static uint64_t batch_hold_us(const struct batch *batch)
{
    uint64_t hold_us = batch->hold_us ? __atomic_load_n(batch->hold_us, __ATOMIC_RELAXED) : 0;

    return hold_us < BATCH_HOLD_MAX_US ? hold_us : BATCH_HOLD_MAX_US;
}

/* An empty packet that can be read in the page as long as it is not sent. */
static void batch_begin_held(struct batch *batch)
{
    const struct wire_packet message = {.generation = batch->generation};

    batch->may_hold = true;
    batch_encode(batch, WIRE_INDEX_PACKET, &message);
}

static void batch_begin(struct batch *batch)
{
    batch->held_since_us = 0;
    batch->may_hold = false;
    if (batch_hold_us(batch) > 0)
        batch_begin_held(batch);
}

/* Into an empty packet. */
static bool batch_add_first(struct batch *batch, size_t index, const void *message)
{
    batch_begin(batch);
    if (batch_encode(batch, index, message))
        return true;
    batch->len_bytes = 0;
    return false;
}

/* A packet that waits for a connection is full.  What came later and is smaller would be half a
 * story.
 */
static void batch_cut(struct batch *batch)
{
    if (!batch->is_cut)
        batch->link->dropped_packets++;
    batch->is_cut = true;
}

bool batch_add(struct batch *batch, size_t index, const void *message)
{
    if (batch->len_bytes > 0) {
        if (!batch->is_cut && batch_encode(batch, index, message))
            return true;
        batch_flush(batch);
    }
    if (batch->len_bytes > 0) {
        batch_cut(batch);
        return false;
    }
    return (batch->link->fd >= 0 || batch->link->has_met) && batch_add_first(batch, index, message);
}

/* Who reads the page sees the old packet until the new one begins. */
static void batch_forget(struct batch *batch)
{
    batch->len_bytes = 0;
    batch->may_hold = false;
    batch->is_cut = false;
    batch->generation++;
    __atomic_store_n(&batch->outbox->state, recorder_outbox_state(batch->generation, 0),
                     __ATOMIC_RELEASE);
}

void batch_end_request(struct batch *batch, int64_t now_us)
{
    if (batch->len_bytes == 0)
        return;
    if (batch->held_since_us == 0)
        batch->held_since_us = now_us;
    /* A clock that was set back makes a large number. */
    if (!batch->may_hold || batch->len_bytes >= BATCH_HOLD_BYTES ||
        (uint64_t) (now_us - batch->held_since_us) >= batch_hold_us(batch))
        batch_flush(batch);
    if (batch->len_bytes > 0 && batch->may_hold)
        __atomic_store_n(&batch->outbox->state,
                         recorder_outbox_state(batch->generation, (uint32_t) batch->len_bytes),
                         __ATOMIC_RELEASE);
}

/* There is no connection.  What waits for one was perhaps begun as a packet that is sent at once;
 * as one that may be held it is there for who reads the page after our death. */
static void batch_wait(struct batch *batch)
{
    const size_t len_bytes = batch->len_bytes;

    if (batch->may_hold || batch->outbox == &batch->own ||
        len_bytes > sizeof batch->own.bytes - BATCH_HEAD_MAX_BYTES)
        return;
    memcpy(batch->own.bytes, batch->outbox->bytes, len_bytes);
    batch->len_bytes = 0;
    batch_begin_held(batch);
    memcpy(batch->outbox->bytes + batch->len_bytes, batch->own.bytes, len_bytes);
    batch->len_bytes += len_bytes;
}

void batch_flush(struct batch *batch)
{
    if (batch->len_bytes == 0)
        return;
    if (!link_send(batch->link, batch->outbox->bytes, batch->len_bytes)) {
        if (batch->link->fd < 0) {
            batch_wait(batch);
            return;
        }
        batch->lost_at++;
    }
    batch_forget(batch);
}
