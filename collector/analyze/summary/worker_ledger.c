/* worker_ledger.c - who lived, what each one is serving, and how large it was. */
#include "analyze/summary/worker_ledger.h"

#include <signal.h>

void worker_ledger_init(struct worker_ledger *ledger, struct intern *texts, size_t limit)
{
    array_init(&ledger->workers, sizeof(struct worker), limit);
    idmap_init(&ledger->current, limit);
    ledger->texts = texts;
}

void worker_ledger_release(struct worker_ledger *ledger)
{
    array_release(&ledger->workers);
    idmap_release(&ledger->current);
}

struct worker *worker_ledger_find(const struct worker_ledger *ledger, int64_t pid)
{
    uint32_t index;

    if (!idmap_get(&ledger->current, (uint64_t) pid, &index))
        return NULL;
    return array_at(&ledger->workers, index);
}

static struct worker *add(struct worker_ledger *ledger, int64_t pid, const struct event *event)
{
    struct worker *worker = array_add(&ledger->workers);

    if (!worker)
        return NULL;
    if (idmap_put(&ledger->current, (uint64_t) pid, (uint32_t) (ledger->workers.count - 1)) < 0) {
        ledger->workers.count--;
        return NULL;
    }
    worker->pid = pid;
    worker->start_ticks = event->start_ticks;
    worker->first_seen_us = worker->last_seen_us = event->ts_us;
    return worker;
}

/* Is this event about another life than the one that we know under its pid? */
static bool is_new_life(const struct worker *worker, const struct event *event)
{
    bool both_known = worker->start_ticks > 0 && event->start_ticks > 0;

    if (both_known)
        return worker->start_ticks != event->start_ticks;
    return worker->gone && event->kind != EVENT_exit && event->kind != EVENT_end;
}

static struct worker *find_or_add(struct worker_ledger *ledger, int64_t pid,
                                  const struct event *event)
{
    struct worker *worker = worker_ledger_find(ledger, pid);

    if (!worker || is_new_life(worker, event))
        return add(ledger, pid, event);
    if (worker->start_ticks == 0)
        worker->start_ticks = event->start_ticks;
    return worker;
}

static void on_start(struct worker_ledger *ledger, struct worker *worker, const struct event *event)
{
    (void) ledger;
    worker->started_us = event->ts_us;
}

static void on_begin(struct worker_ledger *ledger, struct worker *worker, const struct event *event)
{
    worker->request = (struct worker_request){
        .seq = event->seq,
        .begin_us = event->ts_us,
        .method = intern_put(ledger->texts, event->method),
        .uri = intern_put(ledger->texts, event->uri),
        .host = intern_put(ledger->texts, event->host),
        .request_id = intern_put(ledger->texts, event->rid.len_bytes ? event->rid : event->xrid),
    };
}

static void on_response(struct worker_ledger *ledger, struct worker *worker,
                        const struct event *event)
{
    (void) ledger;
    if (worker->request.seq == event->seq)
        worker->request.sent = true;
}

static void on_request(struct worker_ledger *ledger, struct worker *worker,
                       const struct event *event)
{
    (void) ledger;
    worker->requests++;
    worker->last_request = worker->request;
    worker->request = (struct worker_request){0};
    if (event_has(event, EVENT_HAS_live1_bytes))
        worker->live_bytes = event->live1_bytes;
    if (event_has(event, EVENT_HAS_zend_peak_kib))
        worker->zend_peak_kib = event->zend_peak_kib;
    if (event_has(event, EVENT_HAS_rss1_kib))
        worker->rss_kib = event->rss1_kib;
}

static void on_gone(struct worker_ledger *ledger, struct worker *worker, const struct event *event)
{
    (void) ledger;
    (void) event;
    worker->gone = true;
}

typedef void (*event_fn)(struct worker_ledger *, struct worker *, const struct event *);

static const event_fn handlers[EVENT_KIND_COUNT] = {
    [EVENT_start] = on_start, [EVENT_beg] = on_begin, [EVENT_rsp] = on_response,
    [EVENT_req] = on_request, [EVENT_end] = on_gone,  [EVENT_exit] = on_gone,
};

/* Kinds that are a master's word about somebody else, or nobody's. */
static const bool is_not_own_word[EVENT_KIND_COUNT] = {
    [EVENT_hdr] = true,  [EVENT_master] = true, [EVENT_fork] = true, [EVENT_stk] = true,
    [EVENT_exit] = true, [EVENT_stop] = true,   [EVENT_kill] = true, [EVENT_mark] = true,
};

/* The master signals a worker: remember it, so that its death is not called a crash. */
static struct worker *feed_kill(struct worker_ledger *ledger, const struct event *event)
{
    struct worker *worker = worker_ledger_find(ledger, event->target);
    bool deadly = event->sig == SIGTERM || event->sig == SIGQUIT || event->sig == SIGKILL ||
                  event->sig == SIGINT;

    if (worker && event->master && deadly)
        worker->killed_by_master_us = event->ts_us;
    return NULL;
}

/* The start time in it is the master's; the child's is not known before it speaks. */
static struct worker *feed_fork(struct worker_ledger *ledger, const struct event *event)
{
    struct event birth = *event;

    birth.start_ticks = 0;
    return event->child > 0 ? find_or_add(ledger, event->child, &birth) : NULL;
}

struct worker *worker_ledger_feed(struct worker_ledger *ledger, const struct event *event)
{
    struct worker *worker;

    if (event->kind == EVENT_kill)
        return feed_kill(ledger, event);
    if (event->kind == EVENT_fork)
        return feed_fork(ledger, event);
    if (event->pid <= 0 || (is_not_own_word[event->kind] && event->kind != EVENT_exit))
        return NULL;
    worker = find_or_add(ledger, event->pid, event);
    if (!worker)
        return NULL;
    if (event_has(event, EVENT_HAS_ts_us) && event->ts_us > worker->last_seen_us)
        worker->last_seen_us = event->ts_us;
    if (event->pool.len_bytes > 0)
        worker->pool = intern_put(ledger->texts, event->pool);
    if (event->rss_kib > 0)
        worker->rss_kib = event->rss_kib;
    if (!is_not_own_word[event->kind])
        worker->spoke = true;
    if (event->kind == EVENT_rss)
        memory_seen_feed(&worker->memory, event);
    if (handlers[event->kind])
        handlers[event->kind](ledger, worker, event);
    return worker;
}
