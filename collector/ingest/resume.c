/* resume.c - after a restart: which workers were alive, and how far each had come. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/proc.h"
#include "ingest/ingest_internal.h"

static const int64_t master_start_us = 1000000;
static const int64_t look_back_us = INT64_C(3600) * 1000000;

/* Starts, ends and what was lost are few and are read from the beginning of the store. */
static const uint32_t life_kinds =
    STORE_KIND(start) | STORE_KIND(master) | STORE_KIND(end) | STORE_KIND(lost);
static const uint32_t request_kinds = STORE_KIND(beg) | STORE_KIND(req);

/* A worker tells how many it has dropped since its birth; this many have been counted. */
static void add_lost(struct worker *worker, const struct event *event)
{
    if (worker && event->count > 0)
        worker->dropped_messages += (uint64_t) event->count;
}

static int on_life(void *ctx, const struct event *event)
{
    struct ingest *ingest = ctx;
    struct worker *worker;

    if (!event_has(event, EVENT_HAS_start_ticks) || event->start_ticks <= 0)
        return 0;
    worker = worker_find(&ingest->workers, (pid_t) event->pid, (uint64_t) event->start_ticks);
    if (event->kind == EVENT_end) {
        if (worker) {
            /* Its page was read and committed, but perhaps not removed in time. */
            ingest_forget_page(ingest, worker);
            worker_remove(&ingest->workers, worker);
        }
        return 0;
    }
    if (event->kind == EVENT_lost) {
        add_lost(worker, event);
        return 0;
    }
    if (!worker)
        worker = worker_ensure(&ingest->workers, (pid_t) event->pid, (uint64_t) event->start_ticks);
    if (worker) {
        worker->is_stored = true;
        worker->is_master = event->kind == EVENT_master;
        worker->parent = (pid_t) event->ppid;
        worker->ended_us = ingest->now_us;
        /* Its HELLO, which comes again, is a little younger than the process. */
        if (worker->is_master)
            worker->introduced_us = event->ts_us + master_start_us;
    }
    return 0;
}

static int on_request(void *ctx, const struct event *event)
{
    struct ingest *ingest = ctx;
    struct worker *worker;

    if (!event_has(event, EVENT_HAS_start_ticks) || event->seq <= 0)
        return 0;
    worker = worker_find(&ingest->workers, (pid_t) event->pid, (uint64_t) event->start_ticks);
    if (worker && (uint64_t) event->seq > worker->begun_seq)
        worker->begun_seq = (uint64_t) event->seq;
    if (worker && event->kind == EVENT_req && (uint64_t) event->seq > worker->last_seq)
        worker->last_seq = (uint64_t) event->seq;
    return 0;
}

static bool lives(const struct worker *worker)
{
    struct process_stat stat;

    return process_stat((pid_t) worker->key.pid, &stat) == 0 &&
           stat.start_ticks == worker->key.start_ticks && stat.state != 'Z';
}

/* Without a page (php-fpm's master removes it after a quiet end) nothing says how many requests it
 * still served. */
static void finish_unseen(struct ingest *ingest, struct worker *worker)
{
    if (!worker->is_master && ingest_read_page(ingest, worker, PAGE_HEAD) == -ENOENT)
        ingest_count(ingest, "unseen_ends", 1);
    ingest_finish(ingest, worker, ingest->now_us);
}

/* Those that died meanwhile get their end; those that live are watched again. */
static void settle(struct ingest *ingest)
{
    struct worker *worker, *next;

    HASH_ITER(hh, ingest->workers.workers, worker, next)
    {
        worker->outbox.told_seq = worker->last_seq;
        worker->outbox.told_before_us = ingest->now_us - look_back_us;
        if (!lives(worker))
            finish_unseen(ingest, worker);
        else if (ingest->policy.on_found && !worker->is_master)
            ingest->policy.on_found(ingest->policy.ctx, (pid_t) worker->key.pid,
                                    worker->key.start_ticks);
    }
}

/* When the first collector wrote into this store. */
static int64_t first_started_us(struct ingest *ingest)
{
    static const char name[] = "first_started_us";
    char text[32];

    if (store_fact(ingest->store, name, text, sizeof text))
        return strtoll(text, NULL, 10);
    snprintf(text, sizeof text, "%" PRId64, ingest->now_us);
    store_put_fact(ingest->store, name, slice_of(text));
    return ingest->now_us;
}

/* Of an older worker that was never heard nothing says how many of its requests are here. */
static int64_t complete_since_us(struct ingest *ingest)
{
    const int64_t first_us = first_started_us(ingest);
    const int64_t read_us = ingest->now_us - look_back_us;

    return first_us > read_us ? first_us : read_us;
}

int ingest_resume(struct ingest *ingest, int64_t now_us)
{
    ingest->now_us = now_us;
    ingest->complete_since_us = complete_since_us(ingest);
    int r = store_each_event(ingest->store, &(struct store_query){.kinds = life_kinds}, on_life,
                             ingest);
    if (r == 0)
        r = store_each_event(
            ingest->store,
            &(struct store_query){.from_us = now_us - look_back_us, .kinds = request_kinds},
            on_request, ingest);
    ingest_committed(ingest); /* what was said so far was read from the store */
    settle(ingest);
    return r;
}
