/*
 * gateway_workers.c - the event stream -> who was alive, who was serving what, who died of what.
 *
 * One struct per living worker holds the request in flight.  When it ends well it is forgotten, or
 * kept as a neighbour when the second pass asks for it; when the worker ends first, the request
 * becomes part of a death.
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/gateway_parts.h"
#include "model/uri_hash.h"

enum {
    WORKERS_MAX = 1 << 16,
    REQUEST_TEXT_BYTES = 4096, /* of one request in flight */
    STACKS_MAX = 1 << 16,
    REAP_LAG_US = 1000000,    /* a death without a last word is noticed within this */
    LONG_REQUEST_US = 300000, /* what may be shown as holding a worker */
};

struct worker {
    int64_t pid, master, last_us;
    bool alive, in_request;
    int64_t seq, begin_us, response_us;
    int status, write_errno;
    int64_t rss_kib, uri_hash;
    int64_t master_signal, master_signal_us;
    int64_t self_signal;
    uint32_t death; /* NONE, or the record that its crash event made */
    /* Texts of the request in flight, packed into `text`. */
    struct slice method, uri, host, ip, agent, request_id, x_request_id, port, pool;
    text_id census_pool; /* as the census knows it; 0: before its first request */
    size_t text_used;
    char *text;
};

static struct worker *worker_at(struct gateway *gateway, size_t i)
{
    return array_at(&gateway->workers, i);
}

static struct worker *worker_find(struct gateway *gateway, int64_t pid)
{
    uint32_t i;

    return idmap_get(&gateway->worker_index, (uint64_t) pid, &i) ? worker_at(gateway, i) : NULL;
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
        if (worker_at(gateway, i)->pid == 0)
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
static struct worker *worker_get(struct gateway *gateway, int64_t pid, int64_t master,
                                 int64_t now_us)
{
    struct worker *worker = worker_find(gateway, pid);

    if (worker || pid <= 0)
        return worker;
    const ptrdiff_t i = worker_slot(gateway);
    if (i < 0)
        return NULL;
    worker = worker_at(gateway, (size_t) i);
    if (!worker_has_text(gateway, worker) ||
        idmap_put(&gateway->worker_index, (uint64_t) pid, (uint32_t) i) < 0)
        return NULL;
    worker_clear(worker, pid);
    worker->alive = true;
    worker->master = master;
    census_change(gateway, master, 0, 1, 0, now_us);
    return worker;
}

static void worker_forget(struct gateway *gateway, struct worker *worker, int64_t now_us)
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

static void request_keep(struct gateway *gateway, const struct worker *worker, int64_t end_us,
                         struct served *served)
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
        request_keep(gateway, worker, end_us, served);
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
    struct worker *worker = worker_get(gateway, event->pid, event->ppid, event->ts_us);

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
    struct worker *worker = worker_find(gateway, event->pid);

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
    struct worker *worker = worker_find(gateway, event->pid);

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
    struct worker *worker = worker_find(gateway, event->pid);

    if (worker && worker->in_request)
        worker->write_errno = (int) event->err;
}

static int compare_numbers(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

    return x < y ? -1 : x > y;
}

/* The 90th percentile of the living workers' memory: what is ordinary in this pool. */
static int64_t peers_rss_kib(struct gateway *gateway, const struct worker *except)
{
    int64_t rss[256];
    size_t n = 0;

    for (size_t i = 0; i < gateway->workers.count && n < sizeof rss / sizeof rss[0]; i++) {
        const struct worker *worker = worker_at(gateway, i);

        if (worker->pid > 0 && worker != except && worker->master == except->master &&
            worker->rss_kib > 0)
            rss[n++] = worker->rss_kib;
    }
    qsort(rss, n, sizeof rss[0], compare_numbers);
    return n > 0 ? rss[n * 9 / 10 < n ? n * 9 / 10 : n - 1] : 0;
}

/* The death of `worker`, made on first sight.  NULL in the second pass, or without room. */
static struct death *death_of(struct gateway *gateway, struct worker *worker, int64_t now_us)
{
    if (!(gateway->pass & GATEWAY_SCAN))
        return NULL;
    if (worker->death != NONE)
        return GATEWAY_AT(gateway, deaths, death, worker->death);
    struct death *death = array_add(&gateway->deaths);

    if (!death)
        return NULL;
    worker->death = (uint32_t) gateway->deaths.count - 1;
    *death = (struct death){
        .pid = worker->pid,
        .master = worker->master,
        .time_us = now_us,
        .earliest_us = now_us,
        .precision_us = 1,
        .exit_code = -1,
        .from_events = true,
        .in_request = worker->in_request,
        .response_sent = worker->in_request && worker->response_us >= 0,
        .master_signal = worker->master_signal,
        .master_signal_us = worker->master_signal_us,
        .pool = intern_put(&gateway->texts, worker->pool),
        .rss_kib = worker->rss_kib,
        .peer_rss_kib = peers_rss_kib(gateway, worker),
        .restart = NONE,
        .oom = NONE,
        .fpm_line = {.file = -1},
        .timeout_line = {.file = -1},
        .kernel_line = {.file = -1},
    };
    if (worker->in_request)
        request_keep(gateway, worker, -1, &death->request);
    return death;
}

/* Is the fault near the stack pointer?  Then the stack had no room left (within 64 KiB,
 * measured on php-fpm 8.2). */
static bool is_stack_overflow(const struct event *event)
{
    uint64_t apart = event->addr > event->sp ? event->addr - event->sp : event->sp - event->addr;

    return event->sig == 11 && event->addr > 0x10000 && event_has(event, EVENT_HAS_sp) &&
           apart < 0x10000;
}

static void on_crash(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = worker_get(gateway, event->pid, 0, event->ts_us);
    struct death *death = worker ? death_of(gateway, worker, event->ts_us) : NULL;
    uint32_t module;

    if (!death)
        return;
    death->has_crash = true;
    death->signo = (int) event->sig;
    death->si_code = (int) event->code;
    death->addr = event->addr;
    death->ip = event->crash_ip;
    death->sp = event->sp;
    death->sender = event->sender;
    death->in_request |= event->inreq;
    death->response_sent |= event->sent;
    death->stack_overflow = is_stack_overflow(event);
    if (event_has(event, EVENT_HAS_stk) &&
        idmap_get(&gateway->stack_modules, (uint64_t) event->stk, &module))
        death->library = module;
}

/* Who says no last word is missed when the master gets to wait(): 146 ms late when twelve die at
 * once, more on a host that is on its knees.  It was alive at its request's begin and its master's
 * signal. */
static int64_t alive_us(const struct worker *worker, int64_t reaped_us)
{
    int64_t earliest_us = reaped_us - REAP_LAG_US;

    if (worker->in_request && worker->begin_us > earliest_us)
        earliest_us = worker->begin_us;
    if (worker->master_signal && worker->master_signal_us > earliest_us)
        earliest_us = worker->master_signal_us;
    return earliest_us < reaped_us ? earliest_us : reaped_us;
}

static void on_reaped(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = worker_get(gateway, event->pid, event->master, event->ts_us);

    if (!worker)
        return;
    bool unserved = worker->in_request && worker->response_us < 0;
    bool died = event->sig > 0 || event->code != 0 || unserved || worker->death != NONE;
    struct death *death = died ? death_of(gateway, worker, event->ts_us) : NULL;

    if (death) {
        if (event->sig > 0)
            death->signo = (int) event->sig;
        else
            death->exit_code = (int) event->code;
        death->core = event->core;
        if (!death->has_crash)
            death->earliest_us = alive_us(worker, event->ts_us);
        death->master = event->master ? event->master : death->master;
        death->self_signal = worker->self_signal == event->sig && event->sig > 0;
        death->restart = masters_restart_of(gateway, death->master, event->ts_us);
    }
    worker_forget(gateway, worker, event->ts_us);
}

static void on_kill(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = worker_find(gateway, event->target);

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

/* It will never be heard of again: whatever it was doing has failed. */
static void worker_lost(struct gateway *gateway, struct worker *worker, int64_t now_us)
{
    if (worker->in_request && worker->response_us < 0) {
        struct death *death = death_of(gateway, worker, now_us);

        if (death && !death->has_crash) {
            death->cause = DEATH_LOST;
            death->earliest_us = worker->last_us;
        }
    }
    worker_forget(gateway, worker, now_us);
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
    struct worker *worker = worker_find(gateway, pid);

    if (worker && (worker->master != master || worker->seq > 0))
        worker_lost(gateway, worker, event->ts_us); /* the pid is used again */
    worker = worker_get(gateway, pid, master, event->ts_us);
    if (worker && event->rss_kib > 0)
        worker->rss_kib = event->rss_kib;
}

static void on_end(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = worker_find(gateway, event->pid);

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
    struct worker *worker = worker_find(gateway, event->pid);

    if (event->name.len_bytes > 0)
        holders_on_event(gateway, event);
    else if (worker && event->rss_kib > 0)
        worker->rss_kib = event->rss_kib;
}

typedef void (*event_handler)(struct gateway *, const struct event *);

static const event_handler handlers[EVENT_KIND_COUNT] = {
    [EVENT_hdr] = on_header,  [EVENT_master] = on_master, [EVENT_fork] = on_start,
    [EVENT_start] = on_start, [EVENT_beg] = on_begin,     [EVENT_rsp] = on_response,
    [EVENT_req] = on_request, [EVENT_stk] = on_stack,     [EVENT_crash] = on_crash,
    [EVENT_exit] = on_reaped, [EVENT_kill] = on_kill,     [EVENT_werr] = on_write_error,
    [EVENT_end] = on_end,     [EVENT_rss] = on_rss,
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
    struct worker *worker = event->ts_us > 0 ? worker_find(gateway, event->pid) : NULL;

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
        if (worker_at(gateway, i)->pid > 0)
            worker_lost(gateway, worker_at(gateway, i), gateway->events_to_us);
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
