/*
 * gateway_events.c - the event stream -> who was alive, and who was serving what.
 *
 * A living worker (gateway_worker.c) holds the request in flight.  When it ends well it is
 * forgotten, or kept as a neighbour when the second pass asks for it; when the worker ends first,
 * the request becomes part of a death (gateway_ends.c).
 */
#include "analyze/gateway/gateway_worker.h"

enum {
    STACKS_MAX = 1 << 16,
    LONG_REQUEST_US = 300000, /* what may be shown as holding a worker */
};

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
    gateway_worker_begin_request(worker, event);
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

void events_end(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->workers.count; i++)
        if (gateway_worker_at(gateway, i)->pid > 0)
            ends_lost(gateway, gateway_worker_at(gateway, i), gateway->events_to_us);
    census_end(gateway);
}

static void on_header(struct gateway *gateway, const struct event *event)
{
    events_end(gateway); /* another stream, or the same one from its beginning */
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

void events_add(struct gateway *gateway, const struct event *event)
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

void events_init(struct gateway *gateway)
{
    gateway_workers_init(gateway);
    idmap_init(&gateway->stack_modules, STACKS_MAX);
}

void events_release(struct gateway *gateway)
{
    gateway_workers_release(gateway);
    idmap_release(&gateway->stack_modules);
}
