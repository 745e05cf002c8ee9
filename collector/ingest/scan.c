/*
 * scan.c - once a second: how large each worker is, what it has been doing for more than a second,
 * and whether there are pages of workers that nobody announced.
 */
#include <dirent.h>
#include <stdlib.h>

#include "base/proc.h"
#include "ingest/ingest_internal.h"
#include "ingest/masters.h"
#include "model/event_set.h"

enum {
    RSS_STEP_KIB = 512,    /* a change that is worth a row */
    SCAN_PAGES_MAX = 8192, /* per scan; the rest waits for the next */
};
static const int64_t second_us = 1000000;
static const int64_t rss_repeat_us = 60 * second_us;
static const int64_t remember_ended_us = 60 * second_us;

static bool rss_is_news(const struct ingest *ingest, const struct worker *worker, int64_t rss_kib)
{
    return llabs(rss_kib - worker->stored_rss_kib) >= RSS_STEP_KIB ||
           ingest->now_us - worker->stored_rss_us >= rss_repeat_us;
}

static void read_rss(struct ingest *ingest, struct worker *worker, bool has_page)
{
    const int64_t rss_kib = process_rss_kib((pid_t) worker->key.pid);

    /* A zombie has none; what it had is worth keeping. */
    if (rss_kib <= 0)
        return;
    worker->rss_kib = rss_kib;
    if (!rss_is_news(ingest, worker, rss_kib) && !(has_page && ingest_heap_is_due(ingest, worker)))
        return;
    struct event event = ingest_event(ingest, worker, EVENT_rss, ingest->now_us);
    event_set_pool(&event, slice_of(worker->pool));
    event_set_rss_kib(&event, rss_kib);
    if (has_page)
        ingest_explain_memory(ingest, worker, &event);
    ingest_store(ingest, &event);
    worker->stored_rss_kib = rss_kib;
    worker->stored_rss_us = ingest->now_us;
}

/* A request that takes long is in the store before it ends, so that `workers` can show it. */
static bool look_at_page(struct ingest *ingest, struct worker *worker)
{
    struct request_facts facts;
    bool damaged = false;

    if (ingest_read_page(ingest, worker, PAGE_HEAD) < 0)
        return false;
    if (ingest_adopt_hold(ingest, worker) && ingest_read_page(ingest, worker, PAGE_HEAD) < 0)
        return false;
    if (page_request(ingest->page, &facts, &damaged) && facts.seq > worker->last_seq &&
        facts.seq <= INT64_MAX && facts.begin_us < ingest->now_us - second_us)
        ingest_store_begin(ingest, worker, &facts);
    return true;
}

static void scan_workers(struct ingest *ingest)
{
    struct worker *worker, *next;

    HASH_ITER(hh, ingest->workers.workers, worker, next)
    {
        if (worker->has_ended && ingest->now_us - worker->ended_us > remember_ended_us) {
            master_note_missed_exit(ingest, worker);
            worker_remove(&ingest->workers, worker);
        } else if (worker->is_stored && !worker->has_ended && !worker->is_master) {
            ingest_learn_pool(worker);
            read_rss(ingest, worker, look_at_page(ingest, worker));
        }
    }
}

static bool is_alive(pid_t pid, uint64_t start_ticks)
{
    struct process_stat stat;

    return process_stat(pid, &stat) == 0 && stat.start_ticks == start_ticks && stat.state != 'Z';
}

/* Its HELLO, and more, may still be in its socket: whoever has a name is no orphan. */
static bool has_spoken(struct ingest *ingest, pid_t pid, uint64_t start_ticks)
{
    const struct ingest_policy *policy = &ingest->policy;

    return policy->drain && (!policy->drain(policy->ctx, pid, start_ticks) ||
                             worker_find(&ingest->workers, pid, start_ticks));
}

/* The last moment that a dead worker's page shows. */
static int64_t last_sign_us(const struct ingest *ingest)
{
    const struct recorder_page *page = ingest->page;
    const int64_t signs[] = {page->created_us, (int64_t) (page->counters.updated_us & INT64_MAX),
                             page->slots[page->current % RECORDER_SLOTS].begin_us,
                             page->crash.time_us};
    int64_t last_us = 0;

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i] > last_us && signs[i] <= ingest->now_us)
            last_us = signs[i];
    return last_us ? last_us : ingest->now_us;
}

/* It died while nobody looked. */
static void finish_orphan(struct ingest *ingest, struct worker *worker)
{
    int64_t end_us = ingest->now_us;

    if (ingest_read_page(ingest, worker, PAGE_WHOLE) == 0)
        end_us = last_sign_us(ingest);
    ingest_store_start(ingest, worker);
    ingest_finish(ingest, worker, end_us);
}

static void found_page(struct ingest *ingest, pid_t pid, uint64_t start_ticks)
{
    struct worker *worker = worker_find(&ingest->workers, pid, start_ticks);
    struct process_stat stat;

    if (worker || (!is_alive(pid, start_ticks) && has_spoken(ingest, pid, start_ticks)))
        return;
    worker = worker_ensure(&ingest->workers, pid, start_ticks);
    if (!worker)
        return;
    if (!is_alive(pid, start_ticks)) {
        finish_orphan(ingest, worker);
        return;
    }
    if (process_stat(pid, &stat) == 0)
        worker->parent = stat.parent;
    ingest_store_start(ingest, worker);
    if (ingest->policy.on_found)
        ingest->policy.on_found(ingest->policy.ctx, pid, start_ticks);
}

static void scan_pages(struct ingest *ingest, const struct ingest_pages *pages)
{
    const struct dirent *entry;
    uint64_t start_ticks;
    int seen = 0;
    pid_t pid;

    if (!pages->directory || pages->is_shared)
        return;
    DIR *directory = opendir(pages->directory);
    if (!directory)
        return;
    while (seen++ < SCAN_PAGES_MAX && (entry = readdir(directory)))
        if (page_parse_name(entry->d_name, &pid, &start_ticks))
            found_page(ingest, pid, start_ticks);
    closedir(directory);
}

void ingest_find_pages(struct ingest *ingest, int64_t now_us)
{
    ingest->now_us = now_us;
    for (size_t i = 0; i < INGEST_PAGES_MAX; i++)
        scan_pages(ingest, &ingest->policy.pages[i]);
}

void ingest_scan(struct ingest *ingest, int64_t now_us)
{
    ingest->has_measured = false;
    ingest_find_pages(ingest, now_us);
    scan_workers(ingest);
    ingest_name_stacks(ingest);
}

bool ingest_knows(struct ingest *ingest, const struct ingest_sender *sender)
{
    const struct worker *known = worker_find(&ingest->workers, sender->pid, sender->start_ticks);

    if (known && !known->has_ended)
        return true;
    /* A child of root's own php-fpm is a worker, whatever user it is now. */
    return sender->parent > 1 && master_is_genuine(ingest, sender->parent);
}
