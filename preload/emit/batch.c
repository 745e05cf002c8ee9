/* batch.c - see batch.h. */
#include "emit/batch.h"

#include "fpmscope/wire_codec.h"
#include "banned.h"

static bool batch_encode(struct batch *batch, size_t index, const void *message)
{
    size_t len = wire_encode(&wire_messages[index], message, batch->packet + batch->len_bytes,
                             sizeof batch->packet - batch->len_bytes);

    batch->len_bytes += len;
    return len > 0;
}

bool batch_add(struct batch *batch, size_t index, const void *message)
{
    if (batch->link->fd < 0)
        return false;
    if (batch_encode(batch, index, message))
        return true;
    batch_flush(batch);
    return batch_encode(batch, index, message);
}

void batch_flush(struct batch *batch)
{
    if (batch->len_bytes > 0 && !link_send(batch->link, batch->packet, batch->len_bytes))
        batch->lost_at++;
    batch->len_bytes = 0;
}

void batch_clear(struct batch *batch)
{
    if (batch->len_bytes > 0)
        batch->lost_at++;
    batch->len_bytes = 0;
}
