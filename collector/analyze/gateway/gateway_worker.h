/*
 * gateway_worker.h - a living worker as the event stream tells of it, and how it ends.  Private to
 * gateway_worker.c (the table), gateway_events.c (lives) and gateway_ends.c (deaths).
 */
#ifndef FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_WORKER_H
#define FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_WORKER_H

#include "analyze/gateway/gateway_parts.h"

struct worker {
    int64_t pid, master, last_us;
    bool in_request;
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

/* The i-th place in the table of workers; its pid is 0 when nobody is there. */
static inline struct worker *gateway_worker_at(const struct gateway *gateway, size_t i)
{
    return array_at(&gateway->workers, i);
}

/* gateway_worker.c */

void gateway_workers_init(struct gateway *gateway);
void gateway_workers_release(struct gateway *gateway);

/* The living worker `pid`, or NULL; gateway_worker_get() makes one that was never announced. */
struct worker *gateway_worker_find(struct gateway *gateway, int64_t pid);
struct worker *gateway_worker_get(struct gateway *gateway, int64_t pid, int64_t master,
                                  int64_t now_us);
void gateway_worker_forget(struct gateway *gateway, struct worker *worker, int64_t now_us);
/* It is in the request of this `beg` event from now on. */
void gateway_worker_begin_request(struct worker *worker, const struct event *event);
/* Its request in flight, into `ret_served`; `end_us` -1: it never ended. */
void gateway_worker_keep_request(struct gateway *gateway, const struct worker *worker,
                                 int64_t end_us, struct served *ret_served);

/* gateway_ends.c */

/* A last word from inside. */
void ends_on_crash(struct gateway *gateway, const struct event *event);
/* Its master has waited for it. */
void ends_on_reaped(struct gateway *gateway, const struct event *event);
/* It will never be heard of again: whatever it was doing has failed. */
void ends_lost(struct gateway *gateway, struct worker *worker, int64_t now_us);

#endif
