/*
 * gateway_workers.c - the event stream -> who was alive, and who was serving what.
 *
 * One struct per living worker holds the request in flight.  When it ends well it is forgotten, or
 * kept as a neighbour when the second pass asks for it; when the worker ends first, the request
 * becomes part of a death (gateway_ends.c).
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/gateway/gateway_worker.h"
#include "model/uri_hash.h"

enum {
    WORKERS_MAX = 1 << 16,
    REQUEST_TEXT_BYTES = 4096, /* of one request in flight */
    STACKS_MAX = 1 << 16,
    LONG_REQUEST_US = 300000, /* what may be shown as holding a worker */
};

struct worker *gateway_worker_find(struct gateway *gateway, int64_t pid)
{
    uint32_t i;

    return idmap_get(&gateway->worker_index, (uint64_t) pid, &i) ? gateway_worker_at(gateway, i)
                                                                 : NULL;
}

static void worker_clear(struct worker *worker, int64_t pid)
{
    char *text = worker->text;

    *worker = (struct worker){.pid = pid, .death = NONE, .text = text, .response_us = -1};
}

/* The first place without a worker, or a new one: its index, or -1. */
static ptrdiff_t worker_slot(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->workers.count; i++)
        if (gateway_worker_at(gateway, i)->pid == 0)
            return (ptrdiff_t) i;
    return array_add(&gateway->workers) ? (ptrdiff_t) gateway->workers.count - 1 : -1;
}

static bool worker_has_text(struct gateway *gateway, struct worker *worker)
{
    if (!worker->text)
        worker->text = arena_alloc(&gateway->worker_texts, REQUEST_TEXT_BYTES);
    return worker->text != NULL;
}

/* The living worker `pid`; one that was never announced is taken as alive from now on. */
struct worker *gateway_worker_get(struct gateway *gateway, int64_t pid, int64_t master,
                                  int64_t now_us)
{
    struct worker *worker = gateway_worker_find(gateway, pid);

    if (worker || pid <= 0)
        return worker;
    const ptrdiff_t i = worker_slot(gateway);
    if (i < 0)
        return NULL;
    worker = gateway_worker_at(gateway, (size_t) i);
    if (!worker_has_text(gateway, worker) ||
        idmap_put(&gateway->worker_index, (uint64_t) pid, (uint32_t) i) < 0)
        return NULL;
    worker_clear(worker, pid);
    worker->alive = true;
    worker->master = master;
    census_change(gateway, master, 0, 1, 0, now_us);
    return worker;
}

void gateway_worker_forget(struct gateway *gateway, struct worker *worker, int64_t now_us)
{
    census_change(gateway, worker->master, worker->census_pool, -1, worker->in_request ? -1 : 0,
                  now_us);
    idmap_remove(&gateway->worker_index, (uint64_t) worker->pid);
    worker->pid = 0;
}

static struct slice pack(struct worker *worker, struct slice text)
{
    text = slice_head(text, REQUEST_TEXT_BYTES - worker->text_used);
    char *at = worker->text + worker->text_used;

    if (text.len_bytes > 0)
        memcpy(at, text.ptr, text.len_bytes);
    worker->text_used += text.len_bytes;
    return (struct slice){at, text.len_bytes};
}

static bool is_masked(struct slice uri)
{
    return slice_find(uri, SLICE("=*")) >= 0;
}

void gateway_worker_keep_request(struct gateway *gateway, const struct worker *worker,
                                 int64_t end_us, struct served *served)
{
    struct intern *texts = &gateway->texts;

    *served = (struct served){
        .pid = worker->pid,
        .begin_us = worker->begin_us,
        .end_us = end_us,
        .response_us = worker->response_us,
        .method = intern_put(texts, worker->method),
        .uri = intern_put(texts, worker->uri),
        .uri_hash = worker->uri_hash,
        .host = keep_host(gateway, worker->host),
        .ip = intern_put(texts, worker->ip),
        .agent = intern_put(texts, worker->agent),
        .request_id = intern_put(texts, worker->request_id),
        .x_request_id = intern_put(texts, worker->x_request_id),
        .port = intern_put(texts, worker->port),
        .pool = intern_put(texts, worker->pool),
        .status = worker->status,
        .write_errno = worker->write_errno,
        .rss_kib = worker->rss_kib,
        .uri_masked = is_masked(worker->uri),
    };
}

/* Keep a finished request when somebody asked for its like. */
static void request_gather(struct gateway *gateway, const struct worker *worker, int64_t end_us)
{
    int64_t duration_us = end_us - worker->begin_us;

    if (!(gateway->pass & GATEWAY_GATHER))
        return;
    if (!wanted_has(gateway, worker->uri, worker->begin_us, end_us) &&
        !(duration_us >= LONG_REQUEST_US && wanted_has_moment(gateway, worker->begin_us, end_us)))
        return;
    struct served *served = array_add(&gateway->served);

    if (served)
        gateway_worker_keep_request(gateway, worker, end_us, served);
}

static void request_end(struct gateway *gateway, struct worker *worker, int64_t end_us)
{
    if (!worker->in_request)
        return;
    request_gather(gateway, worker, end_us);
    worker->in_request = false;
    census_change(gateway, worker->master, worker->census_pool, 0, -1, end_us);
}

static void on_begin(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = gateway_worker_get(gateway, event->pid, event->ppid, event->ts_us);

    if (!worker)
        return;
    request_end(gateway, worker, event->ts_us); /* its end was dropped on the way */
    worker->in_request = true;
    worker->begin_us = event->ts_us;
    worker->response_us = -1;
    worker->seq = event->seq;
    worker->status = -1;
    worker->write_errno = 0;
    worker->text_used = 0;
    if (event->rss_kib > 0)
        worker->rss_kib = event->rss_kib;
    worker->method = pack(worker, event->method);
    worker->host = pack(worker, event->host);
    worker->ip = pack(worker, event->ip);
    worker->request_id = pack(worker, event->rid);
    worker->x_request_id = pack(worker, event->xrid);
    worker->port = pack(worker, event->port);
    worker->pool = pack(worker, event->pool);
    worker->agent = pack(worker, slice_head(event->ua, 512));
    worker->uri = pack(worker, event->uri);
    worker->uri_hash = uri_hash_is_ours(event->uri_hash) ? event->uri_hash : 0;
    if (!worker->census_pool && event->pool.len_bytes > 0) {
        worker->census_pool = intern_put(&gateway->texts, event->pool);
        census_place(gateway, worker->master, worker->census_pool, event->ts_us);
    }
    census_change(gateway, worker->master, worker->census_pool, 0, 1, event->ts_us);
}

static void on_response(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = gateway_worker_find(gateway, event->pid);

    if (!worker || !worker->in_request)
        return;
    worker->response_us = event->ts_us;
    if (event_has(event, EVENT_HAS_status))
        worker->status = (int) event->status;
    if (event->rss_kib > 0)
        worker->rss_kib = event->rss_kib;
}

static void on_request(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = gateway_worker_find(gateway, event->pid);

    if (!worker || !worker->in_request)
        return;
    if (event_has(event, EVENT_HAS_status) && event->status > 0)
        worker->status = (int) event->status;
    if (event->rss1_kib > 0)
        worker->rss_kib = event->rss1_kib;
    request_end(gateway, worker, event->ts_us);
}

static void on_write_error(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = gateway_worker_find(gateway, event->pid);

    if (worker && worker->in_request)
        worker->write_errno = (int) event->err;
}

static void on_kill(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = gateway_worker_find(gateway, event->target);

    if (event->master) {
        if (gateway->pass & GATEWAY_SCAN)
            masters_on_kill(gateway, event, worker && !worker->in_request,
                            worker ? worker->master_signal : 0);
        if (worker && (event->sig == 15 || event->sig == 9 || event->sig == 3)) {
            worker->master_signal = event->sig;
            worker->master_signal_us = event->ts_us;
        }
    } else if (worker && event->pid == event->target) {
        worker->self_signal = event->sig;
    }
}

static void on_master(struct gateway *gateway, const struct event *event)
{
    if (gateway->pass & GATEWAY_SCAN)
        masters_on_start(gateway, event->pid, event->ts_us);
}

static void on_start(struct gateway *gateway, const struct event *event)
{
    int64_t pid = event->kind == EVENT_fork ? event->child : event->pid;
    int64_t master = event->kind == EVENT_fork ? event->pid : event->ppid;
    struct worker *worker = gateway_worker_find(gateway, pid);

    if (worker && (worker->master != master || worker->seq > 0))
        ends_lost(gateway, worker, event->ts_us); /* the pid is used again */
    worker = gateway_worker_get(gateway, pid, master, event->ts_us);
    if (worker && event->rss_kib > 0)
        worker->rss_kib = event->rss_kib;
}

static void on_end(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = gateway_worker_find(gateway, event->pid);

    if (worker && worker->in_request && event->ts_us > 0)
        worker->last_us = event->ts_us;
}

static void on_stack(struct gateway *gateway, const struct event *event)
{
    if (event->mod.len_bytes > 0 && gateway->stack_modules.count < STACKS_MAX)
        idmap_put(&gateway->stack_modules, (uint64_t) event->id,
                  intern_put(&gateway->texts, event->mod));
}

static void on_header(struct gateway *gateway, const struct event *event)
{
    workers_restart(gateway);
    gateway->relative_events |= slice_equal(event->clock, SLICE("relative"));
}

static void on_rss(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = gateway_worker_find(gateway, event->pid);

    if (event->name.len_bytes > 0)
        holders_on_event(gateway, event);
    else if (worker && event->rss_kib > 0)
        worker->rss_kib = event->rss_kib;
}

typedef void (*event_handler)(struct gateway *, const struct event *);

static const event_handler handlers[EVENT_KIND_COUNT] = {
    [EVENT_hdr] = on_header,       [EVENT_master] = on_master, [EVENT_fork] = on_start,
    [EVENT_start] = on_start,      [EVENT_beg] = on_begin,     [EVENT_rsp] = on_response,
    [EVENT_req] = on_request,      [EVENT_stk] = on_stack,     [EVENT_crash] = ends_on_crash,
    [EVENT_exit] = ends_on_reaped, [EVENT_kill] = on_kill,     [EVENT_werr] = on_write_error,
    [EVENT_end] = on_end,          [EVENT_rss] = on_rss,
};

void workers_add_event(struct gateway *gateway, const struct event *event)
{
    gateway->sources |= SOURCE_EVENTS;
    if (event->ts_us < 0 || event->ts_us > TIME_MAX_US)
        return;
    if (event->ts_us > 0) {
        if (gateway->events_from_us < 0)
            gateway->events_from_us = event->ts_us;
        if (event->ts_us > gateway->events_to_us)
            gateway->events_to_us = event->ts_us;
    }
    if ((unsigned) event->kind < EVENT_KIND_COUNT && handlers[event->kind])
        handlers[event->kind](gateway, event);
    struct worker *worker = event->ts_us > 0 ? gateway_worker_find(gateway, event->pid) : NULL;

    if (worker)
        worker->last_us = event->ts_us;
}

int workers_init(struct gateway *gateway)
{
    array_init(&gateway->workers, sizeof(struct worker), WORKERS_MAX);
    arena_init(&gateway->worker_texts, (size_t) WORKERS_MAX * REQUEST_TEXT_BYTES);
    idmap_init(&gateway->worker_index, WORKERS_MAX);
    idmap_init(&gateway->stack_modules, STACKS_MAX);
    return 0;
}

void workers_end(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->workers.count; i++)
        if (gateway_worker_at(gateway, i)->pid > 0)
            ends_lost(gateway, gateway_worker_at(gateway, i), gateway->events_to_us);
    census_end(gateway);
}

void workers_restart(struct gateway *gateway)
{
    workers_end(gateway);
}

void workers_release(struct gateway *gateway)
{
    arena_release(&gateway->worker_texts);
    array_release(&gateway->workers);
    idmap_release(&gateway->worker_index);
    idmap_release(&gateway->stack_modules);
}
