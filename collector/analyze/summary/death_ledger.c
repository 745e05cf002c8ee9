/* death_ledger.c - every worker that did not end well: which request, which signal, who sent it. */
#include "analyze/summary/death_ledger.h"

#include <signal.h>
#include <stdlib.h>

enum {
    /* A crash and the master's waitpid for it: php-fpm reaps at once, a core dump takes longer. */
    SAME_DEATH_US = 60 * 1000 * 1000,
    /* A master's signal and the end that it causes: process_control_timeout is seconds. */
    MASTER_KILL_US = 30 * 1000 * 1000,
    /* The stack pointer this near to the fault: the stack ended (the facts' row 2). */
    STACK_OVERFLOW_BYTES = 64 * 1024,
};

void death_ledger_init(struct death_ledger *ledger, struct intern *texts, size_t limit)
{
    array_init(&ledger->deaths, sizeof(struct death), limit);
    ledger->texts = texts;
}

void death_ledger_release(struct death_ledger *ledger)
{
    array_release(&ledger->deaths);
}

/* Numbers come round: where processes come and go by the hundred, within seconds. */
static bool may_be_of(const struct death *death, int64_t pid, int64_t start_ticks)
{
    return death->pid == pid &&
           (death->start_ticks == start_ticks || death->start_ticks == 0 || start_ticks == 0);
}

struct death *death_ledger_find(const struct death_ledger *ledger, int64_t pid, int64_t start_ticks,
                                int64_t time_us, int64_t within_us)
{
    struct death *best = NULL;

    for (size_t i = ledger->deaths.count; i-- > 0;) {
        struct death *death = array_at(&ledger->deaths, i);
        int64_t gap_us = llabs(death->time_us - time_us);

        if (may_be_of(death, pid, start_ticks) && gap_us <= within_us &&
            (!best || gap_us < llabs(best->time_us - time_us)))
            best = death;
    }
    return best;
}

/* What the worker's ledger knows about the one who died. */
static void copy_worker(struct death *death, const struct worker *worker)
{
    bool running = worker->request.seq > 0;

    death->start_ticks = worker->start_ticks;
    death->pool = worker->pool;
    death->in_request = running;
    death->request = running ? worker->request : worker->last_request;
    death->response_sent = running && worker->request.sent;
    death->rss_kib = worker->rss_kib;
    death->live_bytes = worker->live_bytes;
    death->zend_peak_kib = worker->zend_peak_kib;
    if (!running)
        death->request = (struct worker_request){0};
}

/* What the event itself says is newer than the ledger. */
static void copy_event(struct death *death, const struct event *event)
{
    if (event_has(event, EVENT_HAS_rss_kib))
        death->rss_kib = event->rss_kib;
    if (event_has(event, EVENT_HAS_zend_peak_kib))
        death->zend_peak_kib = event->zend_peak_kib;
    if (event_has(event, EVENT_HAS_live1_bytes))
        death->live_bytes = event->live1_bytes;
    if (event_has(event, EVENT_HAS_age_us))
        death->age_us = event->age_us;
}

static struct death *add(struct death_ledger *ledger, const struct worker *worker,
                         const struct event *event)
{
    struct death *death = array_add(&ledger->deaths);

    if (!death)
        return NULL;
    death->time_us = event->ts_us;
    death->pid = event->pid;
    death->start_ticks = event->start_ticks;
    death->signo = (int) event->sig;
    if (worker)
        copy_worker(death, worker);
    copy_event(death, event);
    if (death->age_us == 0 && worker)
        death->age_us =
            event->ts_us - (worker->started_us ? worker->started_us : worker->first_seen_us);
    return death;
}

static bool is_stack_overflow(const struct event *event)
{
    uint64_t gap = event->addr > event->sp ? event->addr - event->sp : event->sp - event->addr;

    return event->sig == SIGSEGV && event->addr != 0 && event->sp != 0 &&
           gap < STACK_OVERFLOW_BYTES;
}

static void on_crash(struct death_ledger *ledger, const struct worker *worker,
                     const struct event *event)
{
    struct death *death = add(ledger, worker, event);

    if (!death)
        return;
    death->has_report = true;
    death->stack = event->stk;
    death->address = event->addr;
    death->ip = event->crash_ip;
    death->sp = event->sp;
    death->faulting = intern_put(ledger->texts, event->mod);
    death->stack_overflow = is_stack_overflow(event);
    if (event_has(event, EVENT_HAS_inreq))
        death->in_request = event->inreq;
    if (event_has(event, EVENT_HAS_sent))
        death->response_sent = event->sent;
    death->killer = event->sender > 0 && event->sender != event->pid ? DEATH_OUTSIDE : DEATH_SELF;
}

static bool killed_by_master(const struct worker *worker, const struct event *event)
{
    return worker && worker->killed_by_master_us > 0 &&
           event->ts_us - worker->killed_by_master_us <= MASTER_KILL_US;
}

/* Of a fault that the worker could not tell of nobody knows whose it was. */
static enum death_killer killer_of_reaped(const struct event *event, bool by_master)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};

    if (by_master)
        return DEATH_MASTER;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (event->sig == faults[i])
            return DEATH_UNKNOWN;
    return event->sig ? DEATH_OUTSIDE : DEATH_SELF;
}

static void on_reaped(struct death_ledger *ledger, const struct worker *worker,
                      const struct event *event)
{
    struct death *death =
        death_ledger_find(ledger, event->pid, event->start_ticks, event->ts_us, SAME_DEATH_US);
    bool by_master = killed_by_master(worker, event);
    bool quiet = (event->sig == 0 && event->code == 0) ||
                 (by_master && (!worker || worker->request.seq == 0));

    if (death && !death->reaped && death->has_report) {
        death->reaped = true;
        copy_event(death, event);
        return;
    }
    if (quiet || (death && death->reaped))
        return;
    death = add(ledger, worker, event);
    if (!death)
        return;
    death->reaped = true;
    death->code = (int) event->code;
    death->killer = killer_of_reaped(event, by_master);
}

void death_ledger_feed(struct death_ledger *ledger, const struct worker *worker,
                       const struct event *event)
{
    if (event->kind == EVENT_crash)
        on_crash(ledger, worker, event);
    else if (event->kind == EVENT_exit)
        on_reaped(ledger, worker, event);
}
