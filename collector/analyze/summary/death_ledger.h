/*
 * death_ledger.h - every worker that did not end well: which request, which signal, who sent it.
 *
 * A death is told twice: by the worker itself (crash: registers, stacks) and by its master or the
 * kernel (exit: the signal).  Both become one row.  Quiet ends are no deaths: exit code 0, and a
 * worker without a request that its master stopped.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_DEATH_LEDGER_H
#define FPMSCOPE_ANALYZE_SUMMARY_DEATH_LEDGER_H

#include "analyze/summary/worker_ledger.h"

enum death_killer { DEATH_UNKNOWN, DEATH_SELF, DEATH_OUTSIDE, DEATH_KERNEL, DEATH_MASTER };

struct death {
    int64_t time_us, pid, start_ticks;
    int signo, code;
    enum death_killer killer;
    bool has_report, in_request, response_sent, stack_overflow, reaped;
    int64_t stack; /* id of the stack in the report, 0: none */
    uint64_t address, ip, sp;
    text_id pool, faulting;
    struct worker_request request;
    int64_t rss_kib, zend_peak_kib, live_bytes, age_us;
    int client_status;
};

struct death_ledger {
    struct array deaths;
    struct intern *texts; /* borrowed */
};

void death_ledger_init(struct death_ledger *ledger, struct intern *texts, size_t limit);
void death_ledger_release(struct death_ledger *ledger);

/* Take a `crash` or `exit` in; others are ignored.  `worker` as worker_ledger_feed() knew it
 * before or after this event; NULL is allowed. */
void death_ledger_feed(struct death_ledger *ledger, const struct worker *worker,
                       const struct event *event);

/* The death of `pid` nearest to `time_us`, at most `within_us` away, or NULL.  `start_ticks` says
 * which life of that pid, 0: not known. */
struct death *death_ledger_find(const struct death_ledger *ledger, int64_t pid, int64_t start_ticks,
                                int64_t time_us, int64_t within_us);

#endif
