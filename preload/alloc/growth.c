/* growth.c - see growth.h. */
#include "alloc/growth.h"

#include <errno.h>

#include "alloc/mapped.h"
#include "alloc/stack_message.h"
#include "base/clock.h"
#include "base/thread.h"
#include "banned.h"

static struct {
    struct growth_setup setup;
    uint64_t seq; /* 0: no request is in flight */
    uint32_t told;
    struct growth_probe probe;
    size_t extended_bytes; /* by small steps, not yet told */
} growth;

size_t growth_of_mapping(struct growth_probe *probe, const void *addr, size_t len_bytes)
{
    size_t asked_bytes = probe->asked_bytes;

    probe->asked_bytes = 0;
    if (len_bytes < GROWTH_CHUNK_BYTES)
        return 0;
    if (asked_bytes > 0 && len_bytes == asked_bytes + GROWTH_CHUNK_BYTES - GROWTH_PAGE_BYTES)
        return asked_bytes;
    if ((uintptr_t) addr % GROWTH_CHUNK_BYTES == 0)
        return len_bytes;
    probe->asked_bytes = len_bytes;
    return 0;
}

void growth_start(const struct growth_setup *setup)
{
    growth.setup = *setup;
}

void growth_begin(uint64_t seq)
{
    growth.seq = seq;
    growth.told = 0;
    growth.extended_bytes = 0;
}

void growth_end(void)
{
    growth.seq = 0;
}

static void growth_record(const struct wire_growth *message)
{
    struct recorder_growth *entry = recorder_spare_growth(growth.setup.recorder);

    entry->seq = message->seq;
    entry->time_us = message->time_us;
    entry->bytes = message->bytes;
    entry->mapped_bytes = mapped_bytes();
    entry->php_len_bytes =
        (uint32_t) worker_stacks_write_php(growth.setup.stacks, entry->php, sizeof entry->php);
    recorder_publish_growth(growth.setup.recorder);
}

static void growth_tell(size_t bytes, const void *caller)
{
    struct wire_growth message = {.seq = growth.seq, .time_us = clock_unix_us(), .bytes = bytes};
    int saved_errno = errno;

    if (!guard_enter())
        return;
    growth_record(&message);
    if (growth.told++ < GROWTH_PER_REQUEST_MAX && growth.setup.batch->link->fd >= 0) {
        message.stack =
            stack_message_take(growth.setup.stacks, growth.setup.batch, caller, WORKER_STACKS_PHP);
        batch_add(growth.setup.batch, WIRE_INDEX_GROWTH, &message);
    }
    guard_leave();
    errno = saved_errno;
}

static bool growth_is_watched(void)
{
    return growth.seq != 0 && thread_self.main && !thread_self.busy;
}

void growth_mapped(const void *addr, size_t len_bytes, const void *caller)
{
    size_t bytes;

    if (!growth_is_watched())
        return;
    bytes = growth_of_mapping(&growth.probe, addr, len_bytes);
    if (bytes > 0)
        growth_tell(bytes, caller);
}

/* A block that grows by a page at a time is told a chunk at a time. */
void growth_extended(size_t added_bytes, const void *caller)
{
    if (!growth_is_watched())
        return;
    growth.extended_bytes += added_bytes;
    if (growth.extended_bytes < GROWTH_CHUNK_BYTES)
        return;
    growth_tell(growth.extended_bytes, caller);
    growth.extended_bytes = 0;
}
