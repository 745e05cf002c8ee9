/*
 * gateway_worker.c - the table of living workers, each with the request that it is in.
 *
 * A place is used again when its worker is gone; its texts stay in a block of the worker's own.
 */
#include "analyze/gateway/gateway_worker.h"

#include <string.h>

#include "model/uri_hash.h"

enum {
    WORKERS_MAX = 1 << 16,
    REQUEST_TEXT_BYTES = 4096, /* of one request in flight */
    AGENT_BYTES = 512,         /* of these */
};

void gateway_workers_init(struct gateway *gateway)
{
    array_init(&gateway->workers, sizeof(struct worker), WORKERS_MAX);
    arena_init(&gateway->worker_texts, (size_t) WORKERS_MAX * REQUEST_TEXT_BYTES);
    idmap_init(&gateway->worker_index, WORKERS_MAX);
}

void gateway_workers_release(struct gateway *gateway)
{
    arena_release(&gateway->worker_texts);
    array_release(&gateway->workers);
    idmap_release(&gateway->worker_index);
}

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

void gateway_worker_begin_request(struct worker *worker, const struct event *event)
{
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
    worker->agent = pack(worker, slice_head(event->ua, AGENT_BYTES));
    worker->uri = pack(worker, event->uri);
    worker->uri_hash = uri_hash_is_ours(event->uri_hash) ? event->uri_hash : 0;
}

void gateway_worker_keep_request(struct gateway *gateway, const struct worker *worker,
                                 int64_t end_us, struct served *ret_served)
{
    struct intern *texts = &gateway->texts;

    *ret_served = (struct served){
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
