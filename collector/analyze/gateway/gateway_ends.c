/* gateway_ends.c - how workers end: a last word, their master's, or silence. */
#include <stdlib.h>

#include "analyze/gateway/gateway_worker.h"

enum { REAP_LAG_US = 1000000 /* a death without a last word is noticed within this */ };

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
        const struct worker *worker = gateway_worker_at(gateway, i);

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
        return gateway_death(gateway, worker->death);
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
        gateway_worker_keep_request(gateway, worker, -1, &death->request);
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

void ends_on_crash(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = gateway_worker_get(gateway, event->pid, 0, event->ts_us);
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
        death->shared_object = module;
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

void ends_on_reaped(struct gateway *gateway, const struct event *event)
{
    struct worker *worker = gateway_worker_get(gateway, event->pid, event->master, event->ts_us);

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
    gateway_worker_forget(gateway, worker, event->ts_us);
}

/* It will never be heard of again: whatever it was doing has failed. */
void ends_lost(struct gateway *gateway, struct worker *worker, int64_t now_us)
{
    if (worker->in_request && worker->response_us < 0) {
        struct death *death = death_of(gateway, worker, now_us);

        if (death && !death->has_crash) {
            death->cause = DEATH_LOST;
            death->earliest_us = worker->last_us;
        }
    }
    gateway_worker_forget(gateway, worker, now_us);
}
