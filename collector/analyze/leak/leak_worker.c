/*
 * leak_worker.c - from request events to deltas, in the order of each worker's life.
 *
 * A pid is not a worker: pids come back.  A life ends with `end`, `exit` or `start`, or when `seq`
 * goes back while time does not.  What happens between two requests (l0 is not the last l1: a lost
 * message, or another thread) belongs to no route and is taken out of the floor.
 */
#include "analyze/leak/leak_worker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/leak/leak_chunk.h"
#include "analyze/leak/leak_floor.h"
#include "analyze/leak/leak_ledger.h"
#include "analyze/leak/leak_release.h"
#include "analyze/leak/leak_restart.h"
#include "analyze/leak/leak_sample.h"
#include "analyze/leak/leak_visit.h"

enum { STATUS_FAILED = 500 };

/* No process of ours holds 256 TiB, and no request 16 TiB of them. */
static const int64_t live_max_bytes = INT64_C(1) << 48, delta_max_bytes = INT64_C(1) << 44;

static struct leak_hit hit_of(const struct leak_record *record, enum leak_channel channel)
{
    return (struct leak_hit){.ordinal = record->ordinal,
                             .age = record->age,
                             .ts_us = record->ts_us,
                             .delta_bytes = record->delta[channel]};
}

/* Failed requests are entered once more, among themselves; their order in the worker's memory is
 * the heap ledger's, which therefore comes after. */
static void enter_failed(struct leak_analyzer *analyzer, const struct leak_record *record,
                         struct leak_route_state *route, const struct leak_visit *visit)
{
    int32_t previous[2] = {visit->previous[LEAK_HEAP][0], visit->previous[LEAK_HEAP][1]};
    int32_t largest = visit->largest[LEAK_HEAP];

    const struct leak_hit hit = hit_of(record, LEAK_HEAP);

    leak_ledger_enter(&route->ledgers[LEAK_ERRORS], &analyzer->scale, &hit, previous, &largest,
                      NULL);
}

/* Give the route's ledger what the oldest waiting request left. */
static void enter_record(struct leak_analyzer *analyzer, struct leak_worker *worker,
                         const struct leak_record *record)
{
    struct leak_route_state *route = leak_route_of(analyzer, record->ref);
    struct leak_visit *visit = route ? leak_visit_of(analyzer, worker, record->ref) : NULL;
    bool settled;

    if (!visit)
        return;
    route->touched = true;
    if (record->failed)
        enter_failed(analyzer, record, route, visit);
    for (int channel = 0; channel < LEAK_CHANNELS; channel++) {
        const struct leak_hit hit = hit_of(record, (enum leak_channel) channel);

        leak_ledger_enter(&route->ledgers[channel], &analyzer->scale, &hit,
                          visit->previous[channel], &visit->largest[channel],
                          channel == LEAK_HEAP ? &route->sizes : NULL);
    }
    settled = record->age > analyzer->scale.settle && record->ordinal > analyzer->scale.lazy;
    if (settled && record->delta[LEAK_HEAP] > visit->biggest)
        visit->biggest = leak_clamp32(record->delta[LEAK_HEAP]);
    if (settled)
        route->ledgers[LEAK_HEAP].settled_grown += fmax(0, (double) record->delta[LEAK_HEAP]);
    leak_release_note(analyzer, worker, visit, record->delta[LEAK_HEAP], !settled);
}

static void enter_oldest(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    const struct leak_record oldest = worker->queue[0];

    worker->queued--;
    memmove(worker->queue, worker->queue + 1, worker->queued * sizeof *worker->queue);
    enter_record(analyzer, worker, &oldest);
}

/* A release pays back the growth of the same size among the last four requests, if there is one. */
static int64_t cancel(struct leak_analyzer *analyzer, struct leak_worker *worker,
                      enum leak_channel channel, int64_t delta)
{
    struct leak_record *best = NULL;
    struct leak_route_state *route;

    for (uint32_t i = worker->queued > LEAK_CANCEL_LAG ? 1 : 0; i < worker->queued; i++) {
        struct leak_record *record = &worker->queue[i];
        const int64_t rest = llabs(record->delta[channel] + delta);

        if (record->delta[channel] <= 0 || rest > -delta / 10)
            continue;
        if (!best || rest < llabs(best->delta[channel] + delta))
            best = record;
    }
    if (!best)
        return delta;
    delta += best->delta[channel];
    route = leak_route_of(analyzer, best->ref);
    if (route && best->age > analyzer->scale.deep) {
        route->ledgers[channel].given_back_bytes += (double) best->delta[channel];
        route->ledgers[channel].given_back_hits++;
    }
    best->delta[channel] = 0;
    return delta;
}

static void queue_request(struct leak_analyzer *analyzer, struct leak_worker *worker,
                          struct leak_record record)
{
    for (int channel = 0; channel < LEAK_CHANNELS; channel++)
        if (record.delta[channel] < 0)
            record.delta[channel] =
                cancel(analyzer, worker, (enum leak_channel) channel, record.delta[channel]);
    if (worker->queued == LEAK_CANCEL_LAG + 1)
        enter_oldest(analyzer, worker);
    worker->queue[worker->queued++] = record;
}

/* --- lives --------------------------------------------------------------------------------- */

static uint32_t clamp(uint32_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : value;
}

struct leak_scale leak_scale_of(uint64_t life_requests)
{
    const uint32_t forever = UINT32_MAX / 2;
    const uint32_t life =
        life_requests == 0 || life_requests > forever ? forever : (uint32_t) life_requests;

    return (struct leak_scale){
        .life = life,
        .settle = clamp(life / 6, 6, 16),
        .lazy = life < 200   ? 4
                : life < 400 ? 5
                             : 8,
        .deep = clamp(life / 2, 1, 128),
        .mature = clamp(life / 5, 8, 32),
        .window = clamp(life / 6, 2, LEAK_WINDOW_MAX),
        .first = clamp(life / 5, 1, 64),
    };
}

static int compare_uint32(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

    return (x > y) - (x < y);
}

/* Nobody told how long a worker lives: half of the recent ones lived at least so long. */
static void learn_life(struct leak_analyzer *analyzer, uint32_t requests)
{
    uint32_t sorted[LEAK_LIVES];

    if (analyzer->life_known || requests == 0)
        return;
    analyzer->lives[analyzer->lives_ended++ % LEAK_LIVES] = requests;
    if (analyzer->lives_ended % (LEAK_LIVES / 4) != 0)
        return;

    const uint32_t count = analyzer->lives_ended < LEAK_LIVES ? analyzer->lives_ended : LEAK_LIVES;

    memcpy(sorted, analyzer->lives, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_uint32);
    analyzer->scale = leak_scale_of(sorted[count / 2]);
}

static void close_life(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    while (worker->queued > 0)
        enter_oldest(analyzer, worker);
    leak_visits_close(analyzer, worker);
    leak_samples_close(analyzer, worker);
    learn_life(analyzer, worker->last_seq);
}

static void give_up(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    close_life(analyzer, worker);
    idmap_remove(&analyzer->worker_map, (uint64_t) worker->pid);
    worker->used = false;
}

/* Both say when the process started, and not the same. */
static bool is_another_life(const struct leak_worker *worker, const struct event *event)
{
    return worker->start_ticks != 0 && event_has(event, EVENT_HAS_start_ticks) &&
           worker->start_ticks != event->start_ticks;
}

void leak_worker_end(struct leak_analyzer *analyzer, const struct event *event)
{
    struct leak_worker *worker = leak_worker_find(analyzer, event->pid);

    /* The exit of an earlier life may come after the first request of the next. */
    if (worker && (event->kind == EVENT_start || !is_another_life(worker, event)))
        give_up(analyzer, worker);
}

/* A place for a new worker; the one that was silent for longest is given up when all are taken. */
static struct leak_worker *free_place(struct leak_analyzer *analyzer)
{
    struct leak_worker *oldest = &analyzer->workers[0];

    for (size_t i = 0; i < analyzer->options.max_workers; i++) {
        struct leak_worker *worker = &analyzer->workers[i];

        if (!worker->used)
            return worker;
        if (worker->last_request < oldest->last_request)
            oldest = worker;
    }
    analyzer->coverage.evicted_workers++;
    give_up(analyzer, oldest);
    return oldest;
}

static struct leak_worker *begin_life(struct leak_analyzer *analyzer, const struct event *event)
{
    struct leak_worker *worker = free_place(analyzer);

    memset(worker, 0, sizeof *worker);
    worker->pid = event->pid;
    worker->start_ticks = event->start_ticks;
    worker->used = true;
    worker->life = ++analyzer->next_life;
    leak_floor_reset(worker);
    worker->blocks_head = worker->blocks_tail = LEAK_NONE;
    worker->immature = worker->unproven = LEAK_NONE;
    idmap_put(&analyzer->worker_map, (uint64_t) event->pid,
              (uint32_t) (worker - analyzer->workers));
    return worker;
}

/* `seq` went back: a line out of order, or a new life?  The first request is never late: a clock
 * may have been set back. */
static bool is_late(const struct leak_worker *worker, const struct event *event)
{
    if (event->seq == 1)
        return false;
    return event->seq == worker->last_seq || !event_has(event, EVENT_HAS_ts_us) ||
           event->ts_us < worker->last_ts_us;
}

/* The worker that `event` speaks of, in the right life; NULL for an event that is too late. */
static struct leak_worker *worker_of(struct leak_analyzer *analyzer, const struct event *event)
{
    struct leak_worker *worker = leak_worker_find(analyzer, event->pid);

    if (worker && is_another_life(worker, event)) {
        give_up(analyzer, worker);
        worker = NULL;
    }
    if (worker && event_has(event, EVENT_HAS_seq) && event->seq <= worker->last_seq) {
        if (is_late(worker, event)) {
            analyzer->coverage.late_requests++;
            return NULL;
        }
        give_up(analyzer, worker);
        worker = NULL;
    }
    return worker ? worker : begin_life(analyzer, event);
}

/* --- requests ------------------------------------------------------------------------------ */

/* Both levels before and after, in bytes; false when they are missing or impossible. */
static bool read_levels(struct leak_analyzer *analyzer, const struct event *event,
                        int64_t before[LEAK_CHANNELS], int64_t after[LEAK_CHANNELS])
{
    const int64_t mmap_max_kib = live_max_bytes / 1024;

    if (!event_has(event, EVENT_HAS_live0_bytes) || !event_has(event, EVENT_HAS_live1_bytes)) {
        analyzer->coverage.requests_without_ledger++;
        return false;
    }
    if (llabs(event->live0_bytes / 2) > live_max_bytes ||
        llabs(event->live1_bytes / 2) > live_max_bytes ||
        llabs(event->mmap0_kib / 2) > mmap_max_kib || llabs(event->mmap1_kib / 2) > mmap_max_kib ||
        llabs(event->live1_bytes - event->live0_bytes) > delta_max_bytes) {
        analyzer->coverage.absurd_requests++;
        return false;
    }
    before[LEAK_HEAP] = event->live0_bytes;
    after[LEAK_HEAP] = event->live1_bytes;
    before[LEAK_MMAP] = event->mmap0_kib * 1024;
    after[LEAK_MMAP] = event->mmap1_kib * 1024;
    return true;
}

/* Count the hit, and look at what it left for chunks of an arena; returns which one of the route in
 * this worker it is. */
static uint32_t visit(struct leak_analyzer *analyzer, struct leak_worker *worker, uint32_t ref,
                      int64_t delta)
{
    struct leak_visit *visit = leak_visit_of(analyzer, worker, ref);

    if (!visit)
        return 1;
    visit->hits++;
    if (leak_worker_age(worker) > analyzer->scale.settle)
        leak_chunk_note(analyzer, worker, visit, delta);
    return visit->hits;
}

static void advance(struct leak_analyzer *analyzer, struct leak_worker *worker,
                    const struct event *event, uint32_t ref)
{
    const int64_t seq =
        event_has(event, EVENT_HAS_seq) ? event->seq : worker->last_seq + INT64_C(1);

    if (worker->last_seq > 0 && seq > worker->last_seq + INT64_C(1))
        analyzer->coverage.missed_requests += (uint64_t) (seq - worker->last_seq - 1);
    worker->last_seq = seq > 0 && seq < INT32_MAX ? (uint32_t) seq : worker->last_seq + 1;
    worker->last_ts_us = event->ts_us;
    worker->last_request = analyzer->coverage.requests;
    worker->last_ref = ref;
}

/* RSS beyond live heap and mappings. */
static int32_t excess_kib(const struct event *event)
{
    if (!event_has(event, EVENT_HAS_rss1_kib) || event->rss1_kib <= 0 ||
        event->rss1_kib > INT32_MAX)
        return INT32_MIN;
    return leak_clamp32(event->rss1_kib - event->live1_bytes / 1024 - event->mmap1_kib);
}

static void enter_levels(struct leak_analyzer *analyzer, struct leak_worker *worker,
                         const struct event *event, uint32_t ref,
                         const int64_t before[LEAK_CHANNELS], const int64_t after[LEAK_CHANNELS])
{
    const uint32_t ordinal = visit(analyzer, worker, ref, after[LEAK_HEAP] - before[LEAK_HEAP]);
    const uint32_t age = leak_worker_age(worker);
    struct leak_record record = {.ref = ref,
                                 .ordinal = ordinal,
                                 .age = age,
                                 .failed = event->status >= STATUS_FAILED,
                                 .ts_us = event->ts_us};
    struct leak_step step = {
        .ref = ref, .young = ordinal <= analyzer->scale.lazy, .excess_kib = excess_kib(event)};

    for (int channel = 0; channel < LEAK_CHANNELS; channel++) {
        const int64_t delta = after[channel] - before[channel], grew = delta > 0 ? delta : 0;

        record.delta[channel] = delta;
        step.grew[channel] = (float) grew;
        if (step.young)
            worker->young[channel] += grew;
        if (worker->has_live)
            worker->young[channel] += before[channel] - worker->live[channel];
        worker->live[channel] = after[channel];
        step.level[channel] = after[channel] - worker->young[channel];
    }
    worker->has_live = true;
    queue_request(analyzer, worker, record);
    leak_floor_step(analyzer, worker, age, &step);
    if (!step.young && age > 2 * analyzer->scale.settle)
        leak_restart_note(analyzer, ref, record.delta[LEAK_HEAP]);
}

void leak_worker_request(struct leak_analyzer *analyzer, const struct event *event, uint32_t ref)
{
    int64_t before[LEAK_CHANNELS], after[LEAK_CHANNELS];
    struct leak_worker *worker = worker_of(analyzer, event);

    if (!worker)
        return;
    advance(analyzer, worker, event, ref);
    leak_samples_mature(analyzer, worker);
    if (read_levels(analyzer, event, before, after))
        enter_levels(analyzer, worker, event, ref, before, after);
    else
        worker->has_live = false;
}
