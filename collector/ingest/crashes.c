/* crashes.c - a crash as an event, from the page's crash area or from the CRASH message. */
#include "ingest/ingest_internal.h"
#include "model/event_set.h"

/* What page and message both say. */
struct crash_facts {
    uint64_t seq;
    int64_t time_us;
    uint32_t signo, sender;
    int64_t code;
    uint64_t address, ip, sp;
    bool in_request, response_sent;
    struct slice php;
};

static bool from_page(const struct recorder_page *page, struct crash_facts *ret_facts)
{
    const struct recorder_crash *crash = &page->crash;

    if (crash->state != RECORDER_CRASH_BEGUN && crash->state != RECORDER_CRASH_COMPLETE)
        return false;
    *ret_facts = (struct crash_facts){
        .seq = crash->seq,
        .time_us = crash->time_us,
        .signo = crash->signo,
        .sender = crash->sender,
        .code = crash->code,
        .address = crash->address,
        .ip = crash->ip,
        .sp = crash->sp,
        .in_request = crash->in_request != 0,
        .response_sent = crash->response_sent != 0,
    };
    if (crash->state == RECORDER_CRASH_COMPLETE && crash->php_len_bytes <= sizeof crash->php)
        ret_facts->php = (struct slice){crash->php, crash->php_len_bytes};
    return true;
}

static struct crash_facts from_message(const struct wire_crash *crash)
{
    return (struct crash_facts){
        .seq = crash->seq,
        .time_us = crash->time_us,
        .signo = crash->signo,
        .sender = crash->sender,
        .code = crash->code,
        .address = crash->address,
        .ip = crash->ip,
        .sp = crash->sp,
        .in_request = crash->in_request != 0,
        .response_sent = crash->response_sent != 0,
        .php = {crash->php.ptr, crash->php.len_bytes},
    };
}

static void set_memory(struct event *event, const struct worker *worker,
                       const struct recorder_page *page)
{
    event_set_age_us(event, event->ts_us - worker->born_us);
    if (worker->rss_kib > 0)
        event_set_rss_kib(event, worker->rss_kib);
    if (!page)
        return;
    event_set_live1_bytes(event, page->counters.live_bytes);
    if (page->counters.zend_peak_bytes > 0)
        event_set_zend_peak_kib(event, (int64_t) (page->counters.zend_peak_bytes / 1024));
}

static void store_facts(struct ingest *ingest, const struct worker *worker,
                        const struct crash_facts *facts, const struct recorder_page *page)
{
    const int64_t stack = ingest_store_stack(ingest, facts->php, NULL, SLICE(""));
    struct event event = ingest_event(ingest, worker, EVENT_crash, facts->time_us);

    event_set_seq(&event, (int64_t) (facts->seq & INT64_MAX));
    event_set_pool(&event, slice_of(worker->pool));
    event_set_sig(&event, facts->signo);
    event_set_code(&event, facts->code);
    event_set_addr(&event, facts->address);
    event_set_crash_ip(&event, facts->ip);
    event_set_sp(&event, facts->sp);
    if (facts->sender)
        event_set_sender(&event, facts->sender);
    event_set_inreq(&event, facts->in_request);
    event_set_sent(&event, facts->response_sent);
    if (stack)
        event_set_stk(&event, stack);
    set_memory(&event, worker, page);
    ingest_store(ingest, &event);
}

void ingest_store_crash(struct ingest *ingest, struct worker *worker, bool page_is_read)
{
    struct crash_facts facts;

    if (page_is_read && from_page(ingest->page, &facts)) {
        store_facts(ingest, worker, &facts, ingest->page);
    } else if (worker->crash) {
        facts = from_message(&worker->crash->message);
        store_facts(ingest, worker, &facts, page_is_read ? ingest->page : NULL);
    }
}
