/* gateway_fields.c - one small function per column. */
#include "report/gateway_fields.h"

#include <stdarg.h>
#include <stdio.h>

#include "report/human.h"

static struct slice print(char *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

static struct slice print(char *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(buf, GATEWAY_FIELD_BYTES, format, args);
    va_end(args);
    if (n < 0)
        return SLICE("");
    return (struct slice){buf, n < GATEWAY_FIELD_BYTES ? (size_t) n : GATEWAY_FIELD_BYTES - 1};
}

#define FIELD(name)                                                                                \
    static struct slice field_##name(const struct gateway_row *row, const char *const *files,      \
                                     char *buf)
#define UNUSED (void) row, (void) files, (void) buf

FIELD(time)
{
    char time[HUMAN_TIME_BYTES];

    UNUSED;
    human_time(row->time_us, time, sizeof time);
    if (row->time_precision_us >= 1000000)
        return print(buf, "%s", time);
    return print(buf, "%s.%03d", time, (int) (row->time_us % 1000000 / 1000));
}

FIELD(date)
{
    char time[HUMAN_TIME_BYTES];

    UNUSED;
    return print(buf, "%.10s", human_time(row->time_us, time, sizeof time));
}

FIELD(status)
{
    UNUSED;
    return row->client_status ? print(buf, "%d", row->client_status) : SLICE("-");
}

FIELD(cause)
{
    UNUSED;
    return slice_of(gateway_verdict_name(row->verdict));
}

FIELD(remote_addr)
{
    UNUSED;
    return row->remote_addr;
}

FIELD(host)
{
    UNUSED;
    return row->host;
}

FIELD(method)
{
    UNUSED;
    return row->method;
}

FIELD(uri)
{
    UNUSED;
    return row->uri;
}

FIELD(request)
{
    UNUSED;
    return print(buf, "%.*s %.*s", (int) row->method.len_bytes, row->method.ptr,
                 (int) row->uri.len_bytes, row->uri.ptr);
}

FIELD(request_time)
{
    UNUSED;
    return row->duration_us < 0 ? SLICE("") : print(buf, "%.3f", (double) row->duration_us / 1e6);
}

FIELD(upstream_status)
{
    size_t used = 0;

    UNUSED;
    for (int i = 0; i < row->upstream_count; i++)
        used += (size_t) snprintf(buf + used, GATEWAY_FIELD_BYTES - used, "%s%d", i ? ", " : "",
                                  row->upstream_status[i]);
    return (struct slice){buf, used};
}

FIELD(handler)
{
    UNUSED;
    if (row->back_handler.len_bytes == 0 || slice_equal(row->handler, row->back_handler))
        return row->handler;
    return print(buf, "%.*s, %.*s", (int) row->handler.len_bytes, row->handler.ptr,
                 (int) row->back_handler.len_bytes, row->back_handler.ptr);
}

FIELD(user_agent)
{
    UNUSED;
    return row->user_agent;
}

FIELD(country)
{
    UNUSED;
    return row->country;
}

FIELD(body_bytes_sent)
{
    UNUSED;
    return row->body_bytes < 0 ? SLICE("") : print(buf, "%lld", (long long) row->body_bytes);
}

FIELD(request_id)
{
    UNUSED;
    return row->request_id;
}

FIELD(port)
{
    UNUSED;
    return row->port;
}

FIELD(pid)
{
    size_t used = 0;

    UNUSED;
    for (int i = 0; i < row->pid_count; i++)
        used += (size_t) snprintf(buf + used, GATEWAY_FIELD_BYTES - used, "%s%lld", i ? ", " : "",
                                  (long long) row->pids[i]);
    return (struct slice){buf, used};
}

FIELD(pool)
{
    UNUSED;
    return row->pool;
}

FIELD(signal)
{
    UNUSED;
    return row->signal;
}

FIELD(killer)
{
    UNUSED;
    return slice_of(gateway_killer_name(row->killer));
}

FIELD(library)
{
    UNUSED;
    return row->shared_object;
}

FIELD(module)
{
    UNUSED;
    return row->module;
}

FIELD(reason)
{
    UNUSED;
    return slice_of(gateway_reason_name(row->reason));
}

FIELD(hop)
{
    UNUSED;
    return slice_of(gateway_hop_name(row->hop));
}

FIELD(innocent)
{
    UNUSED;
    return row->innocent ? SLICE("yes") : SLICE("");
}

FIELD(culprit)
{
    UNUSED;
    return row->culprit;
}

FIELD(join)
{
    UNUSED;
    return slice_of(gateway_join_name(row->join));
}

FIELD(candidates)
{
    UNUSED;
    return print(buf, "%d", row->candidates);
}

FIELD(why)
{
    UNUSED;
    return row->sentence;
}

FIELD(advice)
{
    UNUSED;
    return row->advice;
}

FIELD(evidence)
{
    size_t used = 0;

    UNUSED;
    for (int i = 0; i < row->evidence_count && used < GATEWAY_FIELD_BYTES - 1; i++) {
        int n = snprintf(buf + used, GATEWAY_FIELD_BYTES - used, "%s%.*s", i ? "; " : "",
                         (int) row->evidence[i].len_bytes, row->evidence[i].ptr);

        used += n > 0 ? (size_t) n : 0;
    }
    return (struct slice){buf, used < GATEWAY_FIELD_BYTES ? used : GATEWAY_FIELD_BYTES - 1};
}

FIELD(lines)
{
    size_t used = 0;

    UNUSED;
    for (int i = 0; i < row->line_count && used < GATEWAY_FIELD_BYTES - 1; i++) {
        int n = snprintf(buf + used, GATEWAY_FIELD_BYTES - used, "%s%s:%lld", i ? ", " : "",
                         files[row->lines[i].file], (long long) row->lines[i].offset_bytes);

        used += n > 0 ? (size_t) n : 0;
    }
    return (struct slice){buf, used < GATEWAY_FIELD_BYTES ? used : GATEWAY_FIELD_BYTES - 1};
}

const struct gateway_field gateway_fields[] = {
#define GATEWAY_FIELD(name, alias, doc) {#name, alias, doc, field_##name},
#include "report/gateway_fields.def"
    {NULL, NULL, NULL, NULL},
};

const struct gateway_field *gateway_field_find(struct slice name)
{
    for (const struct gateway_field *field = gateway_fields; field->name; field++)
        if (slice_equal(name, slice_of(field->name)) ||
            (field->alias[0] && slice_equal(name, slice_of(field->alias))))
            return field;
    return NULL;
}

bool gateway_row_is_bot(const struct gateway_row *row)
{
    static const char *const marks[] = {"http", "bot", "crawl", "spider", "search"};

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (slice_find(row->user_agent, slice_of(marks[i])) >= 0)
            return true;
    return false;
}

bool gateway_row_is_php(const struct gateway_row *row)
{
    return slice_equal(row->handler, SLICE("phpfpm")) ||
           slice_equal(row->back_handler, SLICE("phpfpm"));
}
