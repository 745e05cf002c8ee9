/* summary_workers.c - the workers that still live, largest first. */
#include <stdlib.h>

#include "analyze/summary/summary_parts.h"

static int compare_workers(const void *a, const void *b)
{
    const struct summary_worker *x = a, *y = b;

    if (x->rss_kib != y->rss_kib)
        return x->rss_kib > y->rss_kib ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static struct summary_worker make(const struct summary *summary, const struct worker *worker)
{
    int64_t now_us = summary->options.now_us ? summary->options.now_us : summary->last_us;
    int64_t born_us = worker->started_us ? worker->started_us : worker->first_seen_us;

    return (struct summary_worker){
        .pid = worker->pid,
        .start_ticks = worker->start_ticks,
        .rss_kib = worker->rss_kib,
        .age_us = now_us > born_us ? now_us - born_us : 0,
        .requests = worker->requests,
        .pool = intern_text(&summary->texts, worker->pool),
        .in_flight = intern_text(&summary->texts, worker->request.uri),
        .last_seen_us = worker->last_seen_us,
        .has_parts = worker->memory.at_us > 0,
        .parts = memory_parts_of(&worker->memory),
        .parts_us = worker->memory.at_us,
    };
}

void summary_conclude_workers(struct summary *summary)
{
    const struct array *all = &summary->workers.workers;
    struct summary_worker *living = arena_alloc(&summary->arena, (all->count + 1) * sizeof *living);
    size_t count = 0;

    for (size_t i = 0; living && i < all->count; i++) {
        const struct worker *worker = array_at(all, i);

        if (!worker->gone && worker->spoke)
            living[count++] = make(summary, worker);
        else if (!worker->gone)
            summary->result.unconnected_workers++;
    }
    if (count > 0)
        qsort(living, count, sizeof *living, compare_workers);
    summary->result.workers = living;
    summary->result.worker_count = count;
}

struct pool_workers summary_pool_workers(struct summary *summary)
{
    struct pool_workers workers = {{0}};

    for (size_t i = 0; i < summary->workers.workers.count; i++) {
        const struct worker *worker = array_at(&summary->workers.workers, i);
        const size_t pool = pool_number(&summary->pools, worker->pool);
        const int64_t at_us = summary->load.last_us[pool];

        if (worker->spoke && worker->first_seen_us <= at_us &&
            (!worker->gone || worker->last_seen_us >= at_us))
            workers.count[pool]++;
    }
    return workers;
}
