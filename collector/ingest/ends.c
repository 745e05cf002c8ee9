/* ends.c - a process has ended: what its page still says, its crash, its end. */
#include "base/process.h"
#include "ingest/ingest_internal.h"
#include "model/event_set.h"

/* In flight is what the page shows and no REQUEST message has finished. */
static void store_unfinished(struct ingest *ingest, struct worker *worker)
{
    struct request_facts facts;
    bool damaged = false;

    if (page_request(ingest->page, &facts, &damaged) && facts.seq > worker->last_seq &&
        facts.seq <= INT64_MAX) {
        ingest_store_begin(ingest, worker, &facts);
        if (facts.response_us > 0)
            ingest_store_response(ingest, worker, facts.seq, facts.response_us, 0);
    }
    if (damaged)
        ingest_count(ingest, "damaged_pages", 1);
}

/* Growth is reported with its request; of a request that never finished only the page knows. */
static void store_last_growths(struct ingest *ingest, struct worker *worker)
{
    const struct recorder_growth *growth;
    struct slice php;

    for (size_t i = 0; i < RECORDER_GROWTHS; i++)
        if (page_growth(ingest->page, i, &growth, &php) && growth->seq > worker->last_seq &&
            growth->seq <= INT64_MAX)
            ingest_store_growth(ingest, worker, growth->seq, growth->time_us, growth->bytes,
                                ingest_store_stack(ingest, php, NULL, SLICE("")));
}

static void store_end(struct ingest *ingest, struct worker *worker, int64_t end_us)
{
    struct event event = ingest_event(ingest, worker, EVENT_end, end_us);

    if (worker->begun_seq > worker->last_seq)
        event_set_seq(&event, (int64_t) worker->begun_seq);
    if (worker->rss_kib > 0)
        event_set_rss_kib(&event, worker->rss_kib);
    event_set_age_us(&event, event.ts_us - worker->born_us);
    ingest_store(ingest, &event);
}

void ingest_finish(struct ingest *ingest, struct worker *worker, int64_t end_us)
{
    const bool page_is_read =
        !worker->is_master && ingest_read_page(ingest, worker, PAGE_WHOLE) == 0;

    if (page_is_read) {
        store_unfinished(ingest, worker);
        store_last_growths(ingest, worker);
        ingest_note_losses(ingest, worker, ingest->page->counters.dropped_messages, 0);
    }
    ingest_store_crash(ingest, worker, page_is_read);
    if (!worker->is_master)
        store_end(ingest, worker, end_us);
    worker->has_ended = true;
    worker->ended_us = ingest->now_us;
    ingest_forget_page(ingest, worker);
}

void ingest_ended(struct ingest *ingest, pid_t pid, uint64_t start_ticks, int64_t now_us)
{
    struct worker *worker = start_ticks ? worker_find(&ingest->workers, pid, start_ticks)
                                        : worker_find_pid(&ingest->workers, pid);

    ingest->now_us = now_us;
    if (worker && !worker->has_ended)
        ingest_finish(ingest, worker, now_us);
}
