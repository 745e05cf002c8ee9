/* access_draft.c - from named texts to a typed access event. */
#include "logs/access_draft.h"

#include <stddef.h>

#include "logs/log_time.h"
#include "logs/scan.h"
#include "logs/unescape.h"

struct field_row;

typedef void (*field_setter)(struct access_draft *draft, const struct field_row *row,
                             struct slice value);

struct field_row {
    field_setter set;
    size_t offset_bytes; /* of the member in struct log_access */
};

static void *member_of(struct access_draft *draft, const struct field_row *row)
{
    return (char *) &draft->event->access + row->offset_bytes;
}

static struct slice plain(struct access_draft *draft, struct slice value)
{
    return draft->escaped ? log_unescape(draft->context->scratch, value) : value;
}

static void set_text(struct access_draft *draft, const struct field_row *row, struct slice value)
{
    *(struct slice *) member_of(draft, row) = plain(draft, value);
}

static void set_number(struct access_draft *draft, const struct field_row *row, struct slice value)
{
    (void) scan_whole_int(value, member_of(draft, row));
}

static void set_status(struct access_draft *draft, const struct field_row *row, struct slice value)
{
    int64_t status;

    (void) row;
    if (scan_whole_int(value, &status) && status >= 0 && status <= 999)
        draft->event->access.status = (int) status;
}

static void set_seconds(struct access_draft *draft, const struct field_row *row, struct slice value)
{
    struct scan scan = scan_of(value);

    (void) row;
    (void) scan_seconds(&scan, &draft->event->access.request_time_us,
                        &draft->event->access.request_time_precision_us);
}

static void set_scaled(struct access_draft *draft, struct slice value, int64_t unit_us)
{
    struct log_access *access = &draft->event->access;
    struct scan scan = scan_of(value);
    int64_t amount;

    if (!scan_int(&scan, &amount) || amount < 0 ||
        __builtin_mul_overflow(amount, unit_us, &access->request_time_us))
        return;
    access->request_time_precision_us = unit_us;
}

static void set_ms(struct access_draft *draft, const struct field_row *row, struct slice value)
{
    (void) row;
    set_scaled(draft, value, 1000);
}

static void set_us(struct access_draft *draft, const struct field_row *row, struct slice value)
{
    (void) row;
    set_scaled(draft, value, 1);
}

/* Of several times ($time_iso8601 and $msec) the most precise one stays. */
static void set_time(struct access_draft *draft, const struct field_row *row, struct slice value)
{
    struct scan scan = scan_of(value);
    struct log_time time;

    (void) row;
    if (!log_time_any(&scan, draft->context, &time))
        return;
    if (draft->event->time_us < 0 || time.precision_us < draft->event->time_precision_us) {
        log_time_put(&time, draft->event);
    } else if (time.zone_printed) {
        draft->event->zone_printed = true;
        draft->event->zone_offset_s = time.zone_offset_s;
    }
}

static void set_request(struct access_draft *draft, const struct field_row *row, struct slice value)
{
    (void) row;
    draft->event->access.request = plain(draft, value);
}

static void set_rewritten(struct access_draft *draft, const struct field_row *row,
                          struct slice value)
{
    (void) row;
    draft->rewritten_uri = plain(draft, value);
}

static void set_args(struct access_draft *draft, const struct field_row *row, struct slice value)
{
    (void) row;
    draft->args = plain(draft, value);
}

/*
 * One element of "502, 200" (attempts) or "502 : 200" (internal redirects).  The separators have
 * blanks, so that the colons of "[::1]:80" and "unix:/run/x" are none.
 */
static bool take_element(struct scan *scan, struct slice *ret_element)
{
    while (scan_text(scan, SLICE(", ")) || scan_text(scan, SLICE(" : ")) || scan_byte(scan, ',') ||
           scan_byte(scan, ' '))
        ;
    if (scan_done(scan))
        return false;
    const char *first = scan->at;
    while (scan->at < scan->end && *scan->at != ',' && *scan->at != ' ')
        scan->at++;
    *ret_element = scan_between(first, scan->at);
    return true;
}

/* The lists are parallel: a shorter one leaves -1 behind. */
static int upstream_slot(struct log_access *access, int index)
{
    if (index >= LOG_UPSTREAMS_MAX)
        return -1;
    if (index >= access->upstream_count) {
        access->upstream_status[index] = -1;
        access->upstream_time_us[index] = -1;
        access->upstream_count = index + 1;
    }
    return index;
}

static void set_upstream_addr(struct access_draft *draft, const struct field_row *row,
                              struct slice value)
{
    struct scan scan = scan_of(plain(draft, value));
    struct slice element;

    (void) row;
    for (int i = 0; take_element(&scan, &element); i++) {
        if (upstream_slot(&draft->event->access, i) < 0)
            return;
        draft->event->access.upstream_addr[i] = element;
    }
}

static void set_upstream_status(struct access_draft *draft, const struct field_row *row,
                                struct slice value)
{
    struct scan scan = scan_of(value);
    struct slice element;
    int64_t status;

    (void) row;
    for (int i = 0; take_element(&scan, &element); i++) {
        if (upstream_slot(&draft->event->access, i) < 0)
            return;
        if (scan_whole_int(element, &status) && status >= 0 && status <= 999)
            draft->event->access.upstream_status[i] = (int) status;
    }
}

static void set_upstream_time(struct access_draft *draft, const struct field_row *row,
                              struct slice value)
{
    struct scan scan = scan_of(value), inner;
    struct slice element;

    (void) row;
    for (int i = 0; take_element(&scan, &element); i++) {
        if (upstream_slot(&draft->event->access, i) < 0)
            return;
        inner = scan_of(element);
        (void) scan_seconds(&inner, &draft->event->access.upstream_time_us[i], NULL);
    }
}

static const struct field_row field_rows[ACCESS_FIELD_COUNT] = {
#define ACCESS_FIELD(id, setter, member)                                                           \
    [ACCESS_##id] = {.set = setter, .offset_bytes = offsetof(struct log_access, member)},
#include "logs/access_fields.def"
};

void access_draft_init(struct access_draft *draft, const struct log_context *context,
                       struct log_event *event, bool escaped)
{
    log_event_init(event, LOG_ACCESS);
    *draft = (struct access_draft){.context = context, .event = event, .escaped = escaped};
}

void access_draft_set(struct access_draft *draft, enum access_field field, struct slice value)
{
    const struct field_row *row = &field_rows[field];

    if (!row->set || value.len_bytes == 0 || (value.len_bytes == 1 && value.ptr[0] == '-'))
        return;
    row->set(draft, row, value);
}

/* $uri and $args together, when the line has nothing better. */
static struct slice join_uri(struct access_draft *draft)
{
    struct slice uri = draft->rewritten_uri, args = draft->args;
    char *joined;

    if (args.len_bytes == 0 || slice_index(uri, '?') >= 0)
        return uri;
    joined = log_scratch_take(draft->context->scratch, uri.len_bytes + 1 + args.len_bytes);
    if (!joined)
        return uri;
    memcpy(joined, uri.ptr, uri.len_bytes);
    joined[uri.len_bytes] = '?';
    memcpy(joined + uri.len_bytes + 1, args.ptr, args.len_bytes);
    return (struct slice){.ptr = joined, .len_bytes = uri.len_bytes + 1 + args.len_bytes};
}

static void take_from_request(struct log_access *access)
{
    struct slice method, uri, protocol, host;

    if (!access_split_request(access->request, &method, &uri, &protocol, &host))
        return;
    access->method = method;
    access->protocol = protocol;
    if (access->uri.len_bytes == 0)
        access->uri = uri;
    if (access->host.len_bytes == 0)
        access->host = host;
}

bool access_draft_finish(struct access_draft *draft)
{
    struct log_access *access = &draft->event->access;
    bool has_request = access->request.len_bytes > 0;

    if (has_request)
        take_from_request(access);
    if (access->uri.len_bytes == 0 && draft->rewritten_uri.len_bytes > 0) {
        access->uri = join_uri(draft);
        access->uri_rewritten = true;
    }
    return access->status >= 0 && draft->event->time_us >= 0 &&
           (has_request || (access->method.len_bytes > 0 && access->uri.len_bytes > 0));
}
