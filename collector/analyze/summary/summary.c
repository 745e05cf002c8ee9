/* summary.c - feed every ledger, and at the end draw the conclusions. */
#include "analyze/summary/summary.h"

#include <stdlib.h>

#include "analyze/summary/summary_parts.h"

enum {
    TEXTS_LIMIT_BYTES = 64 * 1024 * 1024,
    RESULT_LIMIT_BYTES = 64 * 1024 * 1024,
    STACKS_MAX = 16384,
};

struct summary *summary_new(const struct summary_options *options)
{
    struct summary *summary = calloc(1, sizeof *summary);

    if (!summary)
        return NULL;
    summary->options = *options;
    intern_init(&summary->texts, TEXTS_LIMIT_BYTES);
    arena_init(&summary->arena, RESULT_LIMIT_BYTES);
    worker_ledger_init(&summary->workers, &summary->texts, SUMMARY_WORKERS_MAX);
    milestones_init(&summary->milestones, &summary->texts);
    death_ledger_init(&summary->deaths, &summary->texts, SUMMARY_DEATHS_MAX);
    route_ledger_init(&summary->routes, SUMMARY_ROUTES_MAX);
    stack_ledger_init(&summary->stacks, &summary->texts, STACKS_MAX);
    growth_book_init(&summary->growths);
    idmap_init(&summary->last_route, SUMMARY_WORKERS_MAX);
    summary->leaks = leak_analyzer_new(&leak_options_of_host);
    if (route_naming_init(&summary->naming, &summary->texts) < 0 || !summary->leaks) {
        summary_free(summary);
        return NULL;
    }
    return summary;
}

void summary_free(struct summary *summary)
{
    if (!summary)
        return;
    leak_analyzer_free(summary->leaks);
    idmap_release(&summary->last_route);
    growth_book_release(&summary->growths);
    stack_ledger_release(&summary->stacks);
    route_ledger_release(&summary->routes);
    route_naming_release(&summary->naming);
    death_ledger_release(&summary->deaths);
    milestones_release(&summary->milestones);
    worker_ledger_release(&summary->workers);
    arena_release(&summary->arena);
    intern_release(&summary->texts);
    free(summary);
}

static uint64_t worker_key(int64_t pid, int64_t start_ticks)
{
    return idmap_mix((uint64_t) pid << 40 ^ (uint64_t) start_ticks);
}

/* The request is over: what grew while it ran belongs to its route. */
static void settle_growth(struct summary *summary, text_id route, const struct event *over)
{
    struct growth_page *page = growth_book_find(&summary->growths, over->pid, over->start_ticks);

    if (!page || page->died || (page->seq != 0 && page->seq != over->seq))
        return;
    for (uint32_t i = 0; i < page->count; i++) {
        const struct event growth = {.kind = EVENT_gro,
                                     .stk = page->sums[i].stack,
                                     .size_bytes = (int64_t) page->sums[i].bytes};

        stack_ledger_feed(&summary->stacks, route, &growth);
    }
    growth_page_clear(page);
}

static void on_request(struct summary *summary, const struct event *event)
{
    struct event templated = *event;
    const struct worker *worker = worker_ledger_find(&summary->workers, event->pid);
    const size_t pool = pool_number(&summary->pools, worker ? worker->pool : 0);
    text_id route = route_naming_hit(&summary->naming, event->uri, event->name);

    summary->requests++;
    summary->traffic.requests[pool]++;
    pool_load_feed(&summary->load, pool, event->ts_us);
    if (route == 0)
        return;
    idmap_put(&summary->last_route, worker_key(event->pid, event->start_ticks), route);
    settle_growth(summary, route, event);
    route_ledger_feed(&summary->routes, route, pool, event);
    templated.uri = intern_text(&summary->texts, route);
    leak_feed(summary->leaks, &templated);
}

/* Samples and frees follow the request that they belong to. */
static void on_stack_event(struct summary *summary, const struct event *event)
{
    uint32_t route = 0;

    idmap_get(&summary->last_route, worker_key(event->pid, event->start_ticks), &route);
    stack_ledger_feed(&summary->stacks, route, event);
}

static void note_time(struct summary *summary, const struct event *event)
{
    if (!event_has(event, EVENT_HAS_ts_us) || event->ts_us <= 0)
        return;
    if (summary->first_us == 0 || event->ts_us < summary->first_us)
        summary->first_us = event->ts_us;
    if (event->ts_us > summary->last_us)
        summary->last_us = event->ts_us;
}

void summary_add_event(struct summary *summary, const struct event *event)
{
    struct worker *worker = NULL;

    note_time(summary, event);
    milestones_feed(&summary->milestones, event, summary->requests);
    if (event->kind == EVENT_lost && event->count > 0)
        summary->dropped_messages += (uint64_t) event->count;
    if (event->kind == EVENT_crash || event->kind == EVENT_exit)
        worker = worker_ledger_find(&summary->workers, event->pid);
    death_ledger_feed(&summary->deaths, worker, event);
    worker_ledger_feed(&summary->workers, event);
    if (event->kind == EVENT_req)
        on_request(summary, event);
    else
        leak_feed(summary->leaks, event);
    growth_book_feed(&summary->growths, event);
    if (event->kind != EVENT_gro)
        on_stack_event(summary, event);
}

void summary_note_death(struct summary *summary, const struct summary_death_note *note)
{
    static const struct {
        const char *name;
        enum death_killer killer;
    } killers[] = {{"self", DEATH_SELF},
                   {"outside", DEATH_OUTSIDE},
                   {"kernel", DEATH_KERNEL},
                   {"master", DEATH_MASTER}};
    const int64_t near_us = 2 * 1000 * 1000;
    struct death *death = death_ledger_find(&summary->deaths, note->pid, 0, note->time_us, near_us);

    if (!death)
        return;
    for (size_t i = 0; i < sizeof killers / sizeof *killers; i++)
        if (slice_equal(note->killer, slice_of(killers[i].name)))
            death->killer = killers[i].killer;
    death->stack_overflow |= note->stack_overflow;
    if (note->client_status > 0)
        death->client_status = note->client_status;
}

const struct summary_result *summary_finish(struct summary *summary)
{
    struct summary_result *result = &summary->result;

    result->from_us = summary->options.from_us ? summary->options.from_us : summary->first_us;
    result->to_us = summary->options.to_us ? summary->options.to_us : summary->last_us;
    result->requests = summary->requests;
    result->dropped_messages = summary->dropped_messages;
    result->milestones = summary->milestones.list.items;
    result->milestone_count = summary->milestones.list.count;
    summary_conclude_routes(summary);
    summary_conclude_crashes(summary);
    summary_conclude_workers(summary);
    summary_conclude_memory(summary);
    summary_conclude_modules(summary);
    result->not_kept = summary->routes.rows.refused + summary->deaths.deaths.refused +
                       summary->workers.workers.refused + summary->texts.refused +
                       summary->naming.refused + summary->growths.refused;
    return result;
}
