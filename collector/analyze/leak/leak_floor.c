/* leak_floor.c - windows, floors, intervals. */
#include "analyze/leak/leak_floor.h"

#include <string.h>

/* Younger heaps grow in RSS whatever they do. */
enum { EXCESS_AGE_MIN = 64 };

static struct leak_step *step_at(struct leak_worker *worker, uint32_t number)
{
    return &worker->steps[number % LEAK_STEPS];
}

void leak_floor_reset(struct leak_worker *worker)
{
    worker->step_end = worker->window_begin = 0;
    worker->excess_floor_kib = INT32_MIN;
    memset(worker->has_floor, 0, sizeof worker->has_floor);
}

void leak_floor_early_freed(struct leak_worker *worker, double bytes)
{
    if (worker->step_end > 0)
        step_at(worker, worker->step_end - 1)->early_freed += (float) bytes;
}

static void add_share(struct leak_interval *interval, uint32_t ref, bool lazy)
{
    struct leak_share *share = interval->shares;

    while (share < interval->shares + interval->share_count && share->ref != ref)
        share++;
    if (share == interval->shares + LEAK_SHARES)
        return;
    if (share == interval->shares + interval->share_count) {
        *share = (struct leak_share){.ref = ref};
        interval->share_count++;
    }
    share->hits = (uint16_t) (share->hits + !lazy);
    share->lazy_hits = (uint16_t) (share->lazy_hits + lazy);
}

static struct leak_interval *next_interval(struct leak_interval_ring *ring)
{
    struct leak_interval *interval = &ring->items[ring->at];

    ring->at = (ring->at + 1) % LEAK_INTERVALS;
    if (ring->count < LEAK_INTERVALS)
        ring->count++;
    return interval;
}

/* What happened after step `from` up to step `to`, both of them floors. */
static void push_interval(struct leak_analyzer *analyzer, struct leak_worker *worker,
                          enum leak_channel channel, uint32_t from, uint32_t to)
{
    struct leak_interval *interval = next_interval(&analyzer->intervals[channel]);

    interval->life = worker->life;
    interval->length = (uint16_t) (to - from);
    interval->share_count = 0;
    interval->growth = (float) (step_at(worker, to)->level[channel] - worker->floor[channel]);
    interval->early_freed = 0;
    for (uint32_t number = from + 1; number != to + 1; number++) {
        const struct leak_step *step = step_at(worker, number);

        if (channel == LEAK_HEAP)
            interval->early_freed += step->early_freed;
        add_share(interval, step->ref, step->young);
    }
}

/* The window is over: its lowest level is the new floor. */
static void close_window(struct leak_analyzer *analyzer, struct leak_worker *worker,
                         enum leak_channel channel)
{
    uint32_t lowest = worker->window_begin;

    for (uint32_t number = worker->window_begin; number != worker->step_end; number++)
        if (step_at(worker, number)->level[channel] < step_at(worker, lowest)->level[channel])
            lowest = number;
    if (worker->has_floor[channel])
        push_interval(analyzer, worker, channel, worker->floor_at[channel], lowest);
    worker->has_floor[channel] = true;
    worker->floor_at[channel] = lowest;
    worker->floor[channel] = step_at(worker, lowest)->level[channel];
}

/* What RSS has above live bytes has a floor too: when that rises, the allocator keeps holes. */
static void close_excess(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    int32_t lowest = INT32_MAX;

    for (uint32_t number = worker->window_begin; number != worker->step_end; number++)
        if (step_at(worker, number)->excess_kib < lowest)
            lowest = step_at(worker, number)->excess_kib;
    if (worker->excess_floor_kib != INT32_MIN && lowest != INT32_MIN) {
        analyzer->excess_growth_kib += (double) lowest - worker->excess_floor_kib;
        analyzer->excess_requests += worker->step_end - worker->window_begin;
    }
    worker->excess_floor_kib = lowest;
}

void leak_floor_step(struct leak_analyzer *analyzer, struct leak_worker *worker, uint32_t age,
                     const struct leak_step *step)
{
    if (age < analyzer->scale.first)
        return;
    *step_at(worker, worker->step_end++) = *step;
    if (worker->step_end - worker->window_begin < analyzer->scale.window)
        return;
    for (int channel = 0; channel < LEAK_CHANNELS; channel++)
        close_window(analyzer, worker, (enum leak_channel) channel);
    if (age > EXCESS_AGE_MIN)
        close_excess(analyzer, worker);
    worker->window_begin = worker->step_end;
}
