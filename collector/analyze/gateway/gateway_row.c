/* gateway_row.c - judged evidence -> a row of the report. */
#include <stdio.h>

#include "analyze/gateway/gateway_words.h"

static void add_line(struct gateway_row *row, struct line_ref ref)
{
    if (ref.file < 0)
        return;
    for (int i = 0; i < row->line_count; i++)
        if (row->lines[i].file == ref.file && row->lines[i].offset_bytes == ref.offset_bytes)
            return;
    if (row->line_count < GATEWAY_LINES_MAX)
        row->lines[row->line_count++] = (struct gateway_line){ref.file, ref.offset_bytes};
}

/* The outermost hop is what the client saw; the innermost knows the attempts at PHP. */
static void fill_from_hops(struct gateway *gateway, const struct request *request,
                           struct gateway_row *row)
{
    const struct hop *outer = request_hop(gateway, request, request->hop_count - 1);
    const struct hop *inner = request_hop(gateway, request, 0);

    row->duration_us = outer->duration_us;
    row->remote_addr = gateway_text(gateway, outer->ip);
    row->user_agent = gateway_text(gateway, outer->agent);
    row->request_id = gateway_text(gateway, outer->request_id);
    row->handler = gateway_text(gateway, outer->handler);
    row->back_handler = gateway_text(gateway, inner->handler);
    row->port = gateway_text(gateway, outer->port);
    row->country = gateway_text(gateway, outer->country);
    row->client_status = outer->status;
    row->body_bytes = outer->body_bytes;
    row->upstream_count = inner->upstream_count;
    for (int i = 0; i < inner->upstream_count; i++)
        row->upstream_status[i] = inner->upstream_status[i];
    for (int k = 0; k < request->hop_count; k++)
        add_line(row, request_hop(gateway, request, k)->ref);
    if (inner->upstream_count == 0 && request->hop_count > 1) {
        row->upstream_count = 1;
        row->upstream_status[0] = inner->status;
    }
}

/* The access line may know the second only; the worker knew the microsecond. */
static void fill_time(const struct evidence *e, struct gateway_row *row)
{
    const struct request *request = e->request;
    int64_t better_us = -1;

    row->time_us = request->end_us;
    row->time_precision_us = request->precision_us;
    if (request->precision_us <= 1000)
        return;
    row->time_us += request->precision_us / 2; /* the middle of what the line allows */
    if (e->death && e->death->from_events && request->join != JOIN_AMBIGUOUS &&
        e->death->cause != DEATH_LOST)
        better_us = e->death->response_sent ? e->death->request.response_us : e->death->time_us;
    else if (e->served && e->served->response_us >= 0)
        better_us = e->served->response_us;
    if (better_us >= request->end_us - 50000 &&
        better_us <= request->end_us + request->precision_us) {
        row->time_us = better_us;
        row->time_precision_us = 50000; /* the line itself follows within that, measured */
    }
}

static void fill_from_deaths(struct gateway *gateway, const struct evidence *e,
                             struct gateway_row *row)
{
    const struct death *death = e->death;

    if (e->request) {
        for (int i = 0; i < e->request->death_count && i < GATEWAY_PIDS_MAX; i++) {
            const struct death *each = gateway_death(gateway, e->request->deaths[i]);

            row->pids[row->pid_count++] = each->pid;
            add_line(row, each->fpm_line);
            add_line(row, each->timeout_line);
            add_line(row, each->kernel_line);
        }
        row->join = e->request->join;
        row->candidates = e->request->candidates;
    } else {
        row->pids[row->pid_count++] = death->pid;
        add_line(row, death->fpm_line);
        add_line(row, death->timeout_line);
        add_line(row, death->kernel_line);
    }
    row->signal = spell_signal(gateway, death->signo);
    row->killer = death->killer;
    row->pool = gateway_text(gateway, death->pool ? death->pool : death->request.pool);
    row->stack_overflow = death->stack_overflow;
    row->shared_object = gateway_text(gateway, death->shared_object);
    if (death->shared_object_offset && row->shared_object.len_bytes) {
        char text[300];
        int n = snprintf(text, sizeof text, "%.200s+%s", row->shared_object.ptr,
                         gateway_text(gateway, death->shared_object_offset).ptr);

        row->shared_object = gateway_text(
            gateway, intern_put(&gateway->texts, (struct slice){text, n > 0 ? (size_t) n : 0}));
    }
}

static enum gateway_hop hop_of_verdict(const struct evidence *e, enum gateway_verdict verdict)
{
    if (verdict == VERDICT_header_too_big || verdict == VERDICT_php_read_timeout)
        return e->proxy_fault && !e->php_fault ? HOP_FRONT_PROXY : HOP_FASTCGI;
    return HOP_NONE;
}

/* Who is to blame when this request is not. */
static struct slice culprit_of(struct gateway *gateway, const struct evidence *e)
{
    const struct oom_task *hog = evidence_hog(e);
    char text[700] = "", size[32];

    if (hog) {
        spell_kib(size, sizeof size, hog->rss_kib);
        snprintf(text, sizeof text, "%s[%lld] (%s)", gateway_text(gateway, hog->comm).ptr,
                 (long long) hog->pid, size);
    } else if (e->restart && e->restart->culprit != NONE) {
        const struct death *death = gateway_death(gateway, e->restart->culprit);

        if (death->request.method)
            snprintf(text, sizeof text, "%s %.600s",
                     gateway_text(gateway, death->request.method).ptr,
                     gateway_text(gateway, death->request.uri).ptr);
        else
            snprintf(text, sizeof text, "worker %lld", (long long) death->pid);
    } else if (e->death && e->death->oom != NONE) {
        const struct oom *oom = GATEWAY_AT(gateway, ooms, oom, e->death->oom);

        snprintf(text, sizeof text, "%s", gateway_text(gateway, oom->invoker).ptr);
    }
    return gateway_text(gateway, intern_put(&gateway->texts, slice_of(text)));
}

static void fill_from_death_alone(struct gateway *gateway, const struct death *death,
                                  struct gateway_row *row)
{
    row->time_us = death->time_us;
    row->time_precision_us = death->precision_us;
    row->method = gateway_text(gateway, death->request.method);
    row->uri = gateway_text(gateway, death->request.uri);
    row->host = gateway_text(gateway, death->request.host);
    row->remote_addr = gateway_text(gateway, death->request.ip);
    row->user_agent = gateway_text(gateway, death->request.agent);
    row->request_id = gateway_text(gateway, death->request.request_id);
    row->port = gateway_text(gateway, death->request.port);
    row->duration_us = death->request.method ? death->time_us - death->request.begin_us : -1;
}

void row_fill(struct gateway *gateway, const struct evidence *evidence, struct gateway_row *row)
{
    const struct request *request = evidence->request;

    row->duration_us = row->body_bytes = -1;
    row->candidates = 1;
    row->join = request ? JOIN_EXACT : JOIN_STRONG;
    if (request) {
        row->method = gateway_text(gateway, request->method);
        row->uri = gateway_text(gateway, request->uri);
        row->host = gateway_text(gateway, request->host);
        fill_from_hops(gateway, request, row);
        row->access_line_count = request->hop_count;
        fill_time(evidence, row);
        for (int i = 0; i < request->fault_count; i++)
            add_line(row, request_fault(gateway, request, i)->ref);
        if (evidence->fetch)
            add_line(row, evidence->fetch->ref);
        if (evidence->php_end)
            add_line(row, evidence->php_end->ref);
    } else {
        fill_from_death_alone(gateway, evidence->death, row);
    }
    row->pool = gateway_text(gateway, evidence->pool);
    if (evidence->death)
        fill_from_deaths(gateway, evidence, row);
    row->rule = decide(evidence);
    row->verdict = row->rule->verdict;
    row->innocent = row->rule->blame == INNOCENT;
    row->reason = row->rule->reason;
    row->hop = hop_of_verdict(evidence, row->verdict);
    owners_fill_row(gateway, evidence, row);
    if (row->innocent)
        row->culprit = culprit_of(gateway, evidence);
    row->sentence = words_fill(gateway, evidence, row, row->rule->sentence);
    row->advice = words_fill(gateway, evidence, row, row->rule->advice);
    row_add_evidence(gateway, evidence, row);
}
