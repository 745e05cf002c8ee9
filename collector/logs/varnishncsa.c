/*
 * varnishncsa.c - varnishncsa lines.  The event's time is when the request came in (as printed).
 *
 *     84.1.2.3 - - [22/Nov/2026:05:38:43 +0000] "GET http://host/uri HTTP/1.1" 200 5 "-" "agent"
 *     2026-11-22T05:38:43+0000 b GET "/uri" 200 12866 66497 REQUEST-ID hit=- handling=- vxid=32771
 *
 * The first is the default; what tells it from an access log is the absolute url.
 */
#include "logs/access_draft.h"
#include "logs/log_time.h"
#include "logs/parsers.h"
#include "logs/scan.h"

static bool parse_default(struct slice record, const struct log_context *context,
                          struct log_event *event)
{
    struct log_event line;
    struct log_varnish *varnish = &event->varnish;

    if ((slice_find(record, SLICE(" http://")) < 0 && slice_find(record, SLICE(" https://")) < 0) ||
        !access_combined_parse(record, context, &line) ||
        slice_find(line.access.request, SLICE(" http")) < 0 || line.access.host.len_bytes == 0)
        return false;
    log_event_init(event, LOG_NCSA);
    event->time_us = line.time_us;
    event->time_precision_us = line.time_precision_us;
    event->zone_known = line.zone_known;
    event->zone_printed = line.zone_printed;
    event->zone_offset_s = line.zone_offset_s;
    varnish->method = line.access.method;
    varnish->uri = line.access.uri;
    varnish->host = line.access.host;
    varnish->client = line.access.remote_addr;
    varnish->user_agent = line.access.user_agent;
    varnish->status = line.access.status;
    varnish->body_bytes = line.access.body_bytes;
    varnish->start_us = line.time_us;
    return true;
}

static void take_pair(struct slice pair, struct log_varnish *varnish)
{
    ptrdiff_t equals = slice_index(pair, '=');
    struct slice name, value;

    if (equals < 0)
        return;
    name = slice_head(pair, (size_t) equals);
    value = slice_skip(pair, (size_t) equals + 1);
    if (slice_equal(name, SLICE("vxid"))) {
        (void) scan_whole_int(value, &varnish->vxid);
    } else if (slice_equal(name, SLICE("handling"))) {
        varnish->hit = slice_equal(value, SLICE("hit"));
        varnish->passed = slice_equal(value, SLICE("pass"));
        varnish->piped = slice_equal(value, SLICE("pipe"));
    }
}

/*
 * Status, body bytes, microseconds, request id, in this order and as far as they go; "-" for what
 * there was not, as when the child died. false: no status column.
 */
static bool take_columns(struct scan *scan, struct log_varnish *varnish)
{
    struct slice word;
    int64_t status;

    if (!scan_token(scan, &word))
        return false;
    if (scan_whole_int(word, &status) && status >= 0 && status <= 999)
        varnish->status = (int) status;
    else if (!slice_equal(word, SLICE("-")))
        return false;
    for (int column = 0; scan_blanks(scan), scan_token(scan, &word); column++) {
        if (slice_index(word, '=') > 0)
            take_pair(word, varnish);
        else if (column == 0)
            (void) scan_whole_int(word, &varnish->body_bytes);
        else if (column == 1)
            (void) scan_whole_int(word, &varnish->duration_us);
        else if (column == 2 && !slice_equal(word, SLICE("-")))
            varnish->request_id = word;
    }
    return true;
}

static bool parse_columns(struct slice record, const struct log_context *context,
                          struct log_event *event)
{
    struct scan scan = scan_of(record);
    struct slice side, method, uri;
    struct log_time time;

    if (!log_time_iso(&scan, context, &time) || !scan_byte(&scan, ' ') ||
        !scan_token(&scan, &side) || side.len_bytes != 1 ||
        (side.ptr[0] != 'b' && side.ptr[0] != 'c') || !scan_byte(&scan, ' ') ||
        !scan_token(&scan, &method) || !scan_text(&scan, SLICE(" \"")) ||
        !scan_until(&scan, '"', &uri))
        return false;
    log_event_init(event, LOG_NCSA);
    log_time_put(&time, event);
    event->varnish.backend = side.ptr[0] == 'b';
    event->varnish.method = method;
    event->varnish.uri = uri;
    event->varnish.start_us = time.us;
    scan_blanks(&scan);
    return take_columns(&scan, &event->varnish);
}

bool varnishncsa_parse(struct slice record, const struct log_context *context,
                       struct log_event *ret_event)
{
    return parse_columns(record, context, ret_event) || parse_default(record, context, ret_event);
}
