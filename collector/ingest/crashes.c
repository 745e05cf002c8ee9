/* crashes.c - a crash as an event: from the report made of the page, or from the CRASH message. */
#include "ingest/crash_report.h"

#include "ingest/ingest_internal.h"
#include "model/event_set.h"

static void set_memory(struct event *event, const struct worker *worker)
{
    event_set_age_us(event, event->ts_us - worker->born_us);
    if (worker->rss_kib > 0)
        event_set_rss_kib(event, worker->rss_kib);
    if (worker->has_last_counters) {
        event_set_live1_bytes(event, worker->last_live_bytes);
        event_set_zend_peak_kib(event, worker->last_zend_peak_kib);
    }
}

static void set_lists(const struct crash_report *report, struct event_list *ret_php,
                      struct event_list *ret_native)
{
    ret_php->count = ret_native->count = 0;
    for (size_t i = 0; i < report->php_count && i < EVENT_FRAMES_MAX; i++)
        ret_php->items[ret_php->count++] = report->php[i];
    for (size_t i = 0; i < report->native_count && i < CRASH_REPORT_NATIVE_MAX; i++)
        ret_native->items[ret_native->count++] = report->native[i];
}

static int64_t store_report_stack(struct ingest *ingest, const struct crash_report *report)
{
    struct event_list php, native;
    struct event event = {.kind = EVENT_stk};

    set_lists(report, &php, &native);
    if (php.count == 0 && native.count == 0)
        return 0;
    const int64_t id = ingest_hash_frames(&php, &native);
    event_set_id(&event, id);
    event_set_mod(&event, report->shared_object);
    event_set_nat(&event, &native);
    event_set_php(&event, &php);
    ingest_store(ingest, &event);
    return id;
}

void ingest_store_report(struct ingest *ingest, const struct worker *worker,
                         const struct crash_report *report)
{
    const int64_t stack = store_report_stack(ingest, report);
    struct event event = ingest_event(ingest, worker, EVENT_crash, report->time_us);

    event_set_seq(&event, (int64_t) (report->seq & INT64_MAX));
    event_set_pool(&event, slice_of(worker->pool));
    event_set_mod(&event, report->faulting);
    event_set_sig(&event, report->signo);
    event_set_code(&event, report->code);
    event_set_addr(&event, report->address);
    event_set_crash_ip(&event, report->ip);
    event_set_sp(&event, report->sp);
    if (report->sender)
        event_set_sender(&event, report->sender);
    event_set_inreq(&event, report->in_request);
    event_set_sent(&event, report->response_sent);
    if (stack)
        event_set_stk(&event, stack);
    set_memory(&event, worker);
    ingest_store(ingest, &event);
}

void ingest_store_crash_message(struct ingest *ingest, const struct worker *worker)
{
    const struct wire_crash *crash = &worker->crash->message;
    const int64_t stack = ingest_store_stack(
        ingest, (struct slice){crash->php.ptr, crash->php.len_bytes}, NULL, SLICE(""));
    struct event event = ingest_event(ingest, worker, EVENT_crash, crash->time_us);

    event_set_seq(&event, (int64_t) (crash->seq & INT64_MAX));
    event_set_pool(&event, slice_of(worker->pool));
    event_set_sig(&event, crash->signo);
    event_set_code(&event, crash->code);
    event_set_addr(&event, crash->address);
    event_set_crash_ip(&event, crash->ip);
    event_set_sp(&event, crash->sp);
    if (crash->sender)
        event_set_sender(&event, crash->sender);
    event_set_inreq(&event, crash->in_request != 0);
    event_set_sent(&event, crash->response_sent != 0);
    if (stack)
        event_set_stk(&event, stack);
    set_memory(&event, worker);
    ingest_store(ingest, &event);
}
