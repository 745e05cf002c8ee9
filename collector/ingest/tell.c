/* tell.c - what every file of this folder needs to tell something: events, counts, shown texts. */
#include <xxhash.h>

#include "ingest/ingest_internal.h"
#include "model/event_set.h"

static const int64_t second_us = 1000000;

void ingest_count(struct ingest *ingest, const char *name, uint64_t n)
{
    store_add_coverage(ingest->store, name, SLICE(""), n);
}

void ingest_store(struct ingest *ingest, const struct event *event)
{
    store_append(ingest->store, event);
    if (ingest->policy.on_event)
        ingest->policy.on_event(ingest->policy.ctx, event);
}

/* A worker's clock is the host's; what lies outside its life is a lie or a stepped clock. */
static int64_t believable_time(struct ingest *ingest, const struct worker *worker, int64_t time_us)
{
    if (time_us >= worker->born_us - second_us && time_us <= ingest->now_us + second_us)
        return time_us;
    ingest_count(ingest, "corrected_times", 1);
    return time_us < worker->born_us ? worker->born_us : ingest->now_us;
}

struct event ingest_event(struct ingest *ingest, const struct worker *worker, enum event_kind kind,
                          int64_t time_us)
{
    struct event event = {.kind = kind};

    event_set_ts_us(&event, believable_time(ingest, worker, time_us));
    event_set_pid(&event, worker->key.pid);
    event_set_start_ticks(&event, (int64_t) worker->key.start_ticks);
    return event;
}

int64_t ingest_hash(struct slice text)
{
    return ingest_number(XXH3_64bits(text.ptr, text.len_bytes));
}

struct slice ingest_mask(const struct ingest *ingest, struct slice uri, ingest_uri *ret_shown)
{
    if (!ingest->policy.mask_uri)
        return uri;
    return (struct slice){.ptr = *ret_shown,
                          .len_bytes = ingest->policy.mask_uri(uri, *ret_shown, sizeof *ret_shown)};
}
