/*
 * memory_look.c - where the memory of a worker is: live, mapped, or kept free by the allocator.
 *
 * Live and mapped bytes stand in the recorder page.  What the allocator keeps is measured from
 * outside (heap_process.h), and seldom: of a worker that is idle, has served since, and is larger
 * than live and mapped bytes explain; one worker a second at most.
 */
#include <errno.h>

#include "base/proc.h"
#include "ingest/heap_process.h"
#include "ingest/ingest_internal.h"
#include "model/event_set.h"

enum {
    UNEXPLAINED_MIN_KIB = 8 * 1024,
    FIRST_LOOKS = 3, /* soon after each other: is it there to stay? */
    KIB = 1024,
};
static const int64_t first_interval_us = 2 * 1000 * 1000, interval_us = 30 * 1000 * 1000;

static int64_t mapped_kib(const struct recorder_page *page)
{
    return (int64_t) (page->counters.mapped_bytes / KIB & INT64_MAX);
}

/* Mappings need not be resident, so that they may explain more than there is: then, too, only a
 * look can tell. */
static bool is_unexplained(const struct recorder_page *page, int64_t anon_kib)
{
    const int64_t rest_kib = anon_kib - page->counters.live_bytes / KIB - mapped_kib(page);

    return anon_kib >= 2 * UNEXPLAINED_MIN_KIB && (rest_kib >= UNEXPLAINED_MIN_KIB || rest_kib < 0);
}

static bool is_idle(const struct recorder_page *page)
{
    return page->current < RECORDER_SLOTS && page->slots[page->current].phase == RECORDER_IDLE;
}

bool ingest_heap_is_due(const struct ingest *ingest, const struct worker *worker)
{
    const struct worker_heap_look *look = &worker->heap_look;
    const struct recorder_counters *counters = &ingest->page->counters;
    const int64_t age_us = ingest->now_us - look->at_us;

    return !ingest->has_measured && is_idle(ingest->page) && counters->requests > look->requests &&
           (age_us < 0 ||
            age_us >= (look->count < FIRST_LOOKS ? first_interval_us : interval_us)) &&
           is_unexplained(ingest->page, process_anon_kib((pid_t) worker->key.pid));
}

static void measure_heap(struct ingest *ingest, struct worker *worker, struct event *event)
{
    struct heap_found found;
    int r = heap_process_measure((pid_t) worker->key.pid, &found);

    ingest->has_measured = true;
    worker->heap_look.at_us = ingest->now_us;
    worker->heap_look.requests = ingest->page->counters.requests;
    worker->heap_look.count++;
    if (r == 0) {
        event_set_trim_kib(event, (int64_t) (found.trim_bytes / KIB));
        event_set_holes_kib(event, (int64_t) (found.holes_bytes / KIB));
    }
    if (r == -EACCES || r == -EPERM)
        ingest_count(ingest, "heaps that may not be measured", 1);
    else if (r == 0 && !found.is_whole)
        ingest_count(ingest, "heaps measured in part", 1);
}

void ingest_explain_memory(struct ingest *ingest, struct worker *worker, struct event *event)
{
    const struct recorder_counters *counters = &ingest->page->counters;
    const int64_t anon_kib = process_anon_kib((pid_t) worker->key.pid);

    if (anon_kib > 0)
        event_set_anon_kib(event, anon_kib);
    if (counters->requests == 0) /* its counters say nothing yet */
        return;
    event_set_live1_bytes(event, counters->live_bytes);
    event_set_mmap1_kib(event, mapped_kib(ingest->page));
    if (ingest_heap_is_due(ingest, worker))
        measure_heap(ingest, worker, event);
}
