/*
 * ends.c - a process has ended: what its page still says, its crash, its end.
 *
 * Unwinding a crash takes a child some milliseconds; the end is stored when that is done, and the
 * page stays until then, so that a collector that is killed in between does it again.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "ingest/crash_report.h"
#include "ingest/ingest_internal.h"
#include "ingest/reader_child.h"
#include "model/event_set.h"

/* A worker whose crash is being unwound; the table keeps ended workers long enough. */
struct ending {
    struct ingest *ingest;
    struct worker *worker;
    struct crash_report *report;
    void *watch;
    int64_t end_us;
    struct ending *next;
};

/* In flight is what the page shows and no REQUEST message has finished. */
static void store_unfinished(struct ingest *ingest, struct worker *worker)
{
    struct request_facts facts;
    bool damaged = false;

    if (page_request(ingest->page, &facts, &damaged) && facts.seq > worker->last_seq &&
        facts.seq <= INT64_MAX) {
        ingest_store_begin(ingest, worker, &facts);
        if (facts.response_us > 0)
            ingest_store_response(ingest, worker, facts.seq, facts.response_us, facts.status);
    }
    if (damaged)
        ingest_count(ingest, "damaged_pages", 1);
}

/* A packet that was full has told the beginning; the page's ring has the end. */
static bool is_told(const struct worker *worker, const struct recorder_growth *growth)
{
    return growth->seq == worker->growth_seq && growth->time_us <= worker->growth_us;
}

/* Growth is reported with its request; of a request that never finished only the page knows. */
static void store_last_growths(struct ingest *ingest, struct worker *worker)
{
    const struct recorder_growth *growth;
    struct slice php;

    for (size_t i = 0; i < RECORDER_GROWTHS; i++)
        if (page_growth(ingest->page, i, &growth, &php) && growth->seq > worker->last_seq &&
            growth->seq <= INT64_MAX && !is_told(worker, growth))
            ingest_store_growth(ingest, worker, growth->seq, growth->time_us, growth->bytes,
                                ingest_store_stack(ingest, php, NULL, SLICE("")));
}

static void take_page(struct ingest *ingest, struct worker *worker)
{
    const struct recorder_counters *counters = &ingest->page->counters;

    ingest_take_last_outbox(ingest, worker);
    store_unfinished(ingest, worker);
    store_last_growths(ingest, worker);
    worker->missed_at_end = ingest_note_finished(ingest, worker, page_last_finished(ingest->page));
    ingest_note_losses(ingest, worker, counters->dropped_messages, 0);
    worker->has_last_counters = true;
    worker->last_live_bytes = counters->live_bytes;
    worker->last_zend_peak_kib = (int64_t) (counters->zend_peak_bytes / 1024);
}

static void store_end(struct ingest *ingest, struct worker *worker, int64_t end_us)
{
    struct event event = ingest_event(ingest, worker, EVENT_end, end_us);

    if (worker->begun_seq > worker->last_seq)
        event_set_seq(&event, (int64_t) worker->begun_seq);
    if (worker->rss_kib > 0)
        event_set_rss_kib(&event, worker->rss_kib);
    event_set_age_us(&event, event.ts_us - worker->born_us);
    ingest_store(ingest, &event);
}

static void close_life(struct ingest *ingest, struct worker *worker, int64_t end_us)
{
    if (!worker->is_master)
        store_end(ingest, worker, end_us);
    /* In one commit with the end: a successor that finds no end reads the page again. */
    ingest_count_missed(ingest, worker->missed_at_end);
    ingest_forget_page(ingest, worker);
}

static void tell_trouble(struct ingest *ingest, const struct worker *worker, int64_t time_us)
{
    if (ingest->policy.on_trouble && worker->begun_seq > worker->last_seq)
        ingest->policy.on_trouble(ingest->policy.ctx, time_us);
}

/* ---- unwinding -------------------------------------------------------------------------------
 */

static void ending_finish(struct ending *ending)
{
    struct ingest *ingest = ending->ingest;
    struct ending **at = &ingest->endings;

    while (*at != ending)
        at = &(*at)->next;
    *at = ending->next;
    if (ending->watch)
        ingest->policy.unwatch(ingest->policy.ctx, ending->watch);
    ingest_store_report(ingest, ending->worker, ending->report);
    close_life(ingest, ending->worker, ending->end_us);
    crash_report_free(ending->report);
    free(ending);
}

static void on_unwound(void *ctx)
{
    struct ending *ending = ctx;

    if (crash_report_read(ending->report) != 1)
        ending_finish(ending);
}

/* Takes the report.  False: nobody to wait for, or nothing to wait with; it was waited for here. */
static bool begin_ending(struct ingest *ingest, struct worker *worker, struct crash_report *report,
                         int64_t end_us)
{
    const int fd = crash_report_fd(report);
    struct ending *ending = fd >= 0 && ingest->policy.watch ? calloc(1, sizeof *ending) : NULL;

    if (!ending)
        return false;
    *ending =
        (struct ending){.ingest = ingest, .worker = worker, .report = report, .end_us = end_us};
    ending->watch = ingest->policy.watch(ingest->policy.ctx, fd, on_unwound, ending);
    if (!ending->watch) {
        free(ending);
        return false;
    }
    ending->next = ingest->endings;
    ingest->endings = ending;
    return true;
}

static void wait_for(struct crash_report *report)
{
    struct pollfd child = {.fd = crash_report_fd(report), .events = POLLIN};

    while (child.fd >= 0 && poll(&child, 1, 2 * READER_CHILD_DEADLINE_S * 1000) > 0 &&
           crash_report_read(report) == 1)
        ;
}

void ingest_settle(struct ingest *ingest)
{
    while (ingest->endings) {
        wait_for(ingest->endings->report);
        ending_finish(ingest->endings);
    }
}

/* ---- the end ---------------------------------------------------------------------------------
 */

/* True: the rest follows when the crash has been unwound. */
static bool take_crash(struct ingest *ingest, struct worker *worker, bool page_is_read,
                       int64_t end_us)
{
    struct crash_report *report;

    if (page_is_read &&
        crash_report_begin(ingest->page, sizeof *ingest->page, worker->map, &report) == 0) {
        tell_trouble(ingest, worker, report->time_us);
        if (begin_ending(ingest, worker, report, end_us))
            return true;
        wait_for(report);
        ingest_store_report(ingest, worker, report);
        crash_report_free(report);
    } else if (worker->crash) {
        tell_trouble(ingest, worker, worker->crash->message.time_us);
        ingest_store_crash_message(ingest, worker);
    } else {
        tell_trouble(ingest, worker, end_us);
    }
    return false;
}

void ingest_finish(struct ingest *ingest, struct worker *worker, int64_t end_us)
{
    const int r = worker->is_master ? -ENOENT : ingest_read_page(ingest, worker, PAGE_WHOLE);
    const bool page_is_read = r == 0;

    if (r < 0 && r != -ENOENT && r != -EBADMSG) /* which is counted as damaged */
        ingest_count(ingest, "unread_pages", 1);
    worker->has_ended = true;
    worker->ended_us = ingest->now_us;
    if (page_is_read)
        take_page(ingest, worker);
    ingest_forget_hold(worker);
    if (!take_crash(ingest, worker, page_is_read, end_us))
        close_life(ingest, worker, end_us);
}

void ingest_ended(struct ingest *ingest, pid_t pid, uint64_t start_ticks, int64_t now_us)
{
    struct worker *worker = start_ticks ? worker_find(&ingest->workers, pid, start_ticks)
                                        : worker_find_pid(&ingest->workers, pid);

    ingest->now_us = now_us;
    if (worker && !worker->has_ended)
        ingest_finish(ingest, worker, now_us);
}
