/* requests.c - a worker's start and its requests as events, each stored once. */
#include <stdio.h>

#include "base/proc.h"
#include "ingest/ingest_internal.h"
#include "model/event_set.h"
#include "model/uri_hash.h"

static const char pool_title[] = "php-fpm: pool ";

/* A title that has not come by then costs three system calls a request for nothing. */
enum { POOL_TRIES_MAX = 16 };

/* php-fpm writes the pool into the process title some time after the fork. */
void ingest_learn_pool(struct worker *worker)
{
    char line[256];

    if (worker->pool[0] || worker->has_ended ||
        process_command_line((pid_t) worker->key.pid, line, sizeof line) < 0 ||
        strncmp(line, pool_title, sizeof pool_title - 1) != 0)
        return;
    /* setproctitle pads with what was there before. */
    char *name = line + sizeof pool_title - 1;
    name[strcspn(name, " ")] = '\0';
    snprintf(worker->pool, sizeof worker->pool, "%.*s", WORKER_POOL_BYTES - 1, name);
}

void ingest_store_start(struct ingest *ingest, struct worker *worker)
{
    struct event event = ingest_event(
        ingest, worker, worker->is_master ? EVENT_master : EVENT_start, worker->born_us);

    if (worker->is_stored)
        return;
    worker->is_stored = true;
    event_set_ppid(&event, worker->parent);
    if (worker->interval_bytes > 0)
        event_set_interval_bytes(&event, worker->interval_bytes);
    ingest_store(ingest, &event);
}

void ingest_store_begin(struct ingest *ingest, struct worker *worker,
                        const struct request_facts *facts)
{
    struct event event = ingest_event(ingest, worker, EVENT_beg, facts->begin_us);

    if (facts->seq <= worker->begun_seq)
        return;
    worker->begun_seq = facts->seq;
    if (worker->pool_tries < POOL_TRIES_MAX) {
        worker->pool_tries++;
        ingest_learn_pool(worker);
    }
    event_set_seq(&event, (int64_t) facts->seq);
    event_set_pool(&event, slice_of(worker->pool));
    event_set_method(&event, facts->method);
    event_set_uri(&event, ingest_mask(ingest, facts->uri, &ingest->uri));
    event_set_uri_hash(&event, uri_hash(facts->uri));
    event_set_doc(&event, ingest_mask(ingest, facts->document_uri, &ingest->path));
    event_set_host(&event, facts->host);
    event_set_port(&event, facts->port);
    event_set_ip(&event, facts->remote_addr);
    event_set_ua(&event, facts->user_agent);
    event_set_rid(&event, facts->request_id);
    event_set_xrid(&event, facts->x_request_id);
    if (facts->flags)
        event_set_request_flags(&event, facts->flags);
    ingest_store(ingest, &event);
}

void ingest_store_response(struct ingest *ingest, const struct worker *worker, uint64_t seq,
                           int64_t time_us, int64_t status)
{
    struct event event = ingest_event(ingest, worker, EVENT_rsp, time_us);

    event_set_seq(&event, (int64_t) seq);
    if (status > 0)
        event_set_status(&event, status);
    ingest_store(ingest, &event);
}

void ingest_store_growth(struct ingest *ingest, const struct worker *worker, uint64_t seq,
                         int64_t time_us, uint64_t bytes, int64_t stack)
{
    struct event event = ingest_event(ingest, worker, EVENT_gro, time_us);

    event_set_seq(&event, (int64_t) seq);
    event_set_size_bytes(&event, (int64_t) (bytes & INT64_MAX));
    if (stack)
        event_set_stk(&event, stack);
    ingest_store(ingest, &event);
}

/* Who is older than the store, and was never heard, may have finished any number before. */
static bool is_known_from_its_first(const struct ingest *ingest, const struct worker *worker)
{
    return worker->last_seq > 0 || worker->born_us >= ingest->complete_since_us;
}

uint64_t ingest_note_finished(const struct ingest *ingest, struct worker *worker, uint64_t seq)
{
    uint64_t missed;

    if (seq <= worker->last_seq || seq > INT64_MAX)
        return 0;
    missed = is_known_from_its_first(ingest, worker) ? seq - worker->last_seq : 0;
    worker->last_seq = seq;
    return missed;
}

void ingest_count_missed(struct ingest *ingest, uint64_t requests)
{
    if (requests > 0)
        ingest_count(ingest, "missed_requests", requests);
}

void ingest_note_losses(struct ingest *ingest, struct worker *worker, uint64_t dropped_messages,
                        uint64_t throttled_samples)
{
    if (dropped_messages > worker->dropped_messages) {
        const uint64_t n = dropped_messages - worker->dropped_messages;
        struct event event = ingest_event(ingest, worker, EVENT_lost, ingest->now_us);

        event_set_count(&event, (int64_t) (n & INT64_MAX));
        ingest_store(ingest, &event);
        ingest_count(ingest, "dropped_messages", n);
        worker->dropped_messages = dropped_messages;
    }
    if (throttled_samples > 0)
        ingest_count(ingest, "throttled_samples", throttled_samples);
}
