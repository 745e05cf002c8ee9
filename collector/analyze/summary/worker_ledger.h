/*
 * worker_ledger.h - who lived, what each one is serving, and how large it was.
 *
 * A worker is (pid, start time): a reused pid is another worker.  Streams without start times
 * (`start_ticks` 0) fall back on `start`, `end` and `exit` events to tell lives apart.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_WORKER_LEDGER_H
#define FPMSCOPE_ANALYZE_SUMMARY_WORKER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "analyze/summary/memory_parts.h"
#include "base/array.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "model/event.h"

/* The request in a worker's hands; seq 0: none. */
struct worker_request {
    int64_t seq, begin_us;
    text_id method, uri, host, request_id;
    bool sent; /* answered, the script may still run */
};

struct worker {
    int64_t pid, start_ticks;
    int64_t first_seen_us, last_seen_us, started_us;
    int64_t rss_kib, live_bytes, zend_peak_kib;
    uint64_t requests;
    text_id pool;
    struct memory_seen memory;
    bool gone;
    bool spoke;                  /* it said something itself, not only its master */
    int64_t killed_by_master_us; /* when its master sent it a deadly signal; 0: never */
    struct worker_request request, last_request;
};

struct worker_ledger {
    struct array workers;
    struct idmap current; /* pid -> index + 1 of the newest worker with it */
    struct intern *texts; /* borrowed */
};

void worker_ledger_init(struct worker_ledger *ledger, struct intern *texts, size_t limit);
void worker_ledger_release(struct worker_ledger *ledger);

/*
 * Take an event in.  Returns the worker that it is about, or NULL when it is about none or there
 * is no room for another; valid until the next call.
 */
struct worker *worker_ledger_feed(struct worker_ledger *ledger, const struct event *event);

/* The newest worker with this pid, or NULL. */
struct worker *worker_ledger_find(const struct worker_ledger *ledger, int64_t pid);

#endif
