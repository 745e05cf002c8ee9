/* summary_memory.c - for each pool the worker whose memory says most, and whether it fragments. */
#include <stdlib.h>

#include "analyze/summary/summary_parts.h"

static struct summary_memory *find_pool(struct summary_memory *rows, size_t count,
                                        struct slice pool)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(rows[i].pool, pool))
            return &rows[i];
    return NULL;
}

/* Fragmented before healthy, then by what could be given back, then by size. */
static bool says_more(const struct summary_memory *a, const struct summary_memory *b)
{
    if (a->fragmented != b->fragmented)
        return a->fragmented;
    if (a->fragmented && a->parts.trim_bytes != b->parts.trim_bytes)
        return a->parts.trim_bytes > b->parts.trim_bytes;
    return a->rss_bytes > b->rss_bytes;
}

static struct summary_memory describe(const struct summary *summary, const struct worker *worker)
{
    const struct memory_seen *seen = &worker->memory;
    const bool fragmented = memory_is_fragmented(seen);
    const struct memory_parts parts = memory_parts_of(seen);

    return (struct summary_memory){
        .pool = intern_text(&summary->texts, worker->pool),
        .pid = worker->pid,
        .start_ticks = worker->start_ticks,
        .at_us = seen->at_us,
        .requests = worker->requests,
        .rss_bytes = seen->rss_kib * 1024,
        .measured = seen->measured,
        .fragmented = fragmented,
        .parts = parts,
        .workers = 1,
        .fragmented_workers = fragmented,
        .pool_trim_bytes = fragmented ? parts.trim_bytes : 0,
    };
}

/* One row a pool: its most telling worker, and the counts of all. */
static void merge(struct summary_memory *row, const struct summary_memory *worker)
{
    const struct summary_memory before = *row;

    if (says_more(worker, row))
        *row = *worker;
    row->workers = before.workers + worker->workers;
    row->fragmented_workers = before.fragmented_workers + worker->fragmented_workers;
    row->pool_trim_bytes = before.pool_trim_bytes + worker->pool_trim_bytes;
}

void summary_conclude_memory(struct summary *summary)
{
    const struct array *all = &summary->workers.workers;
    struct summary_memory *rows = arena_alloc(&summary->arena, SUMMARY_POOLS_MAX * sizeof *rows);
    size_t count = 0;

    for (size_t i = 0; rows && i < all->count; i++) {
        const struct worker *worker = array_at(all, i);
        struct summary_memory one, *row;

        if (worker->memory.at_us == 0)
            continue;
        one = describe(summary, worker);
        row = find_pool(rows, count, one.pool);
        if (row)
            merge(row, &one);
        else if (count < SUMMARY_POOLS_MAX)
            rows[count++] = one;
    }
    summary->result.memory = rows;
    summary->result.memory_count = count;
}
