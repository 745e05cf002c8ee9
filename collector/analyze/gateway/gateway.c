/* gateway.c - the engine's life: what it is born with, two passes of feeding, one judgement. */
#include "analyze/gateway/gateway.h"

#include <stdlib.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    DEFAULT_ROWS = 400000,
    NOTES_MAX = 64,
    SMALL_MAX = 100000, /* of what a host has few of */
};
static const size_t default_text_bytes = 512u << 20;

struct gateway *gateway_new(const struct gateway_options *options)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    size_t rows = options && options->max_rows ? options->max_rows : DEFAULT_ROWS;

    if (!gateway)
        return NULL;
    const struct {
        struct array *array;
        size_t item_bytes, limit;
    } arrays[] = {
        {&gateway->hops, sizeof(struct hop), rows},
        {&gateway->faults, sizeof(struct fault), rows},
        {&gateway->deaths, sizeof(struct death), rows / 2},
        {&gateway->served, sizeof(struct served), rows},
        {&gateway->restarts, sizeof(struct restart), SMALL_MAX},
        {&gateway->spans, sizeof(struct span), SMALL_MAX},
        {&gateway->fetches, sizeof(struct fetch), rows},
        {&gateway->php_ends, sizeof(struct php_end), rows},
        {&gateway->ooms, sizeof(struct oom), SMALL_MAX},
        {&gateway->kernel_crashes, sizeof(struct kernel_crash), rows / 2},
        {&gateway->fpm_notes, sizeof(struct fpm_note), rows},
        {&gateway->varnish_notes, sizeof(struct varnish_note), SMALL_MAX},
        {&gateway->requests, sizeof(struct request), rows},
        {&gateway->clocks, sizeof(struct gateway_clock), GATEWAY_FILES_MAX},
        {&gateway->rows, sizeof(struct gateway_row), rows},
        {&gateway->death_rows, sizeof(struct gateway_row), rows / 2},
        {&gateway->notes, sizeof(struct slice), NOTES_MAX},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        array_init(arrays[i].array, arrays[i].item_bytes, arrays[i].limit);
    intern_init(&gateway->texts,
                options && options->max_text_bytes ? options->max_text_bytes : default_text_bytes);
    idmap_init(&gateway->wanted, rows * 8);
    gateway->events_from_us = gateway->access_from_us = -1;
    gateway->pass = GATEWAY_BOTH;
    events_init(gateway);
    census_init(gateway);
    holders_init(gateway);
    owners_init(gateway);
    return gateway;
}

void gateway_free(struct gateway *gateway)
{
    if (!gateway)
        return;
    struct array *const arrays[] = {
        &gateway->hops,           &gateway->faults,    &gateway->deaths,        &gateway->served,
        &gateway->restarts,       &gateway->spans,     &gateway->fetches,       &gateway->php_ends,
        &gateway->ooms,           &gateway->fpm_notes, &gateway->varnish_notes, &gateway->requests,
        &gateway->kernel_crashes, &gateway->clocks,    &gateway->rows,          &gateway->notes,
        &gateway->death_rows,     &gateway->bursts,
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        array_release(arrays[i]);
    intern_release(&gateway->texts);
    idmap_release(&gateway->wanted);
    events_release(gateway);
    census_release(gateway);
    holders_release(gateway);
    owners_release(gateway);
    free(gateway);
}

void gateway_pass(struct gateway *gateway, enum gateway_pass pass)
{
    if (pass == gateway->pass)
        return;
    events_end(gateway); /* still with the old pass: who never came back is lost */
    if (gateway->pass & GATEWAY_SCAN) {
        clocks_estimate(gateway);
        wanted_mark_collected(gateway);
    }
    gateway->pass = pass;
}

void gateway_add_event(struct gateway *gateway, const struct event *event)
{
    events_add(gateway, event);
}

void gateway_add_log(struct gateway *gateway, const struct log_event *log)
{
    collect_log(gateway, log);
}

static int compare_deaths(const void *a, const void *b)
{
    const struct death *x = a, *y = b;

    return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

static int compare_faults(const void *a, const void *b)
{
    const struct fault *x = a, *y = b;

    if (x->time_us != y->time_us)
        return x->time_us < y->time_us ? -1 : 1;
    if (x->ref.file != y->ref.file)
        return x->ref.file < y->ref.file ? -1 : 1;
    return x->ref.offset_bytes < y->ref.offset_bytes ? -1
                                                     : x->ref.offset_bytes > y->ref.offset_bytes;
}

static int compare_served(const void *a, const void *b)
{
    const struct served *x = a, *y = b;

    return x->begin_us < y->begin_us ? -1 : x->begin_us > y->begin_us;
}

static int compare_fetches(const void *a, const void *b)
{
    const struct fetch *x = a, *y = b;

    return x->end_us < y->end_us ? -1 : x->end_us > y->end_us;
}

static bool is_due(const struct gateway *gateway, const struct request *request)
{
    if (request->wanted)
        return true;
    for (int k = 0; k < request->hop_count; k++) {
        int status = request_hop(gateway, request, k)->status;

        if (status >= 500 || status == 499)
            return true;
    }
    for (int i = 0; i < request->fault_count; i++) {
        const struct fault *fault = request_fault(gateway, request, i);

        if (fault->fastcgi && fault->cause == NGINX_RESET && fault->after_header)
            return true; /* a truncated answer that was logged as a success */
    }
    return false;
}

static void judge_request(struct gateway *gateway, const struct request *request)
{
    struct gateway_report *report = &gateway->report;
    struct evidence evidence;

    if (!is_due(gateway, request))
        return;
    struct gateway_row *row = array_add(&gateway->rows);

    if (!row)
        return;
    evidence_gather(gateway, request, &evidence);
    row_fill(gateway, &evidence, row);
    report->count_by_verdict[row->verdict]++;
    if (row->client_status >= 500 || request->join == JOIN_AMBIGUOUS)
        for (int i = 0; i < request->death_count; i++)
            gateway_death(gateway, request->deaths[i])->shown = true;
}

/* A death is worth a line of its own when nobody planned it, or when it took a request along. */
static bool death_is_worth_telling(const struct death *death)
{
    if (death->shown || death->cause == DEATH_LOST || death->cause == DEATH_UNKNOWN)
        return false;
    if (death->cause == DEATH_RESTART)
        return death->in_request && !death->response_sent;
    return true;
}

static void judge_death(struct gateway *gateway, const struct death *death)
{
    struct evidence evidence;
    struct gateway_row *row =
        death_is_worth_telling(death) ? array_add(&gateway->death_rows) : NULL;

    if (!row)
        return;
    evidence_of_death(gateway, death, &evidence);
    row_fill(gateway, &evidence, row);
}

static int compare_rows(const void *a, const void *b)
{
    const struct gateway_row *x = a, *y = b;

    return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

static void complete_evidence(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->varnish_notes.count; i++)
        gateway->varnish_times |= GATEWAY_AT(gateway, varnish_notes, varnish_note, i)->time_us >= 0;
    array_sort(&gateway->faults, compare_faults);
    array_sort(&gateway->served, compare_served);
    array_sort(&gateway->fetches, compare_fetches);
    deaths_hear_witnesses(gateway);
    array_sort(&gateway->deaths, compare_deaths);
    restarts_complete(gateway);
    deaths_find_causes(gateway);
    fold_requests(gateway);
    tie_faults(gateway);
    tie_fetches(gateway);
    tie_php_ends(gateway);
    join_deaths(gateway);
    tie_served(gateway);
}

const struct gateway_report *gateway_finish(struct gateway *gateway)
{
    struct gateway_report *report = &gateway->report;

    if (gateway->pass != GATEWAY_GATHER)
        gateway_pass(gateway, GATEWAY_GATHER);
    events_end(gateway);
    complete_evidence(gateway);
    for (size_t i = 0; i < gateway->requests.count; i++)
        judge_request(gateway, gateway_request(gateway, i));
    for (size_t i = 0; i < gateway->deaths.count; i++)
        judge_death(gateway, gateway_death(gateway, i));
    array_sort(&gateway->rows, compare_rows);
    array_sort(&gateway->death_rows, compare_rows);
    notes_on_limits(gateway);
    notes_on_access(gateway);
    report->rows = gateway->rows.items;
    report->row_count = gateway->rows.count;
    report->deaths = gateway->death_rows.items;
    report->death_count = gateway->death_rows.count;
    report->clocks = gateway->clocks.items;
    report->clock_count = gateway->clocks.count;
    report->notes = gateway->notes.items;
    report->note_count = gateway->notes.count;
    return report;
}
