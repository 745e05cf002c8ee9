/*
 * nginx_error.c - nginx's error log.
 *
 *     2026/11/22 05:38:44 [error] 14494#14494: *6 MESSAGE, client: A, server: S, request: "R",
 *         upstream: "U", host: "H", referrer: "F"
 *
 * The tail is written by nginx in this order, but request, host and referrer are the client's words
 * and may imitate it; so each part is looked for behind the one before, and quoted parts end at
 * their quote.  The message may hold PHP's words (stderr), with newlines.
 */
#include "logs/access_draft.h"
#include "logs/log_time.h"
#include "logs/parsers.h"
#include "logs/scan.h"

static const struct {
    enum log_nginx_cause cause;
    struct slice what, detail;
} causes[] = {
#define NGINX_MESSAGE(id, what_text, detail_text)                                                  \
    {.cause = id,                                                                                  \
     .what = {.ptr = (what_text), .len_bytes = sizeof(what_text) - 1},                             \
     .detail = {.ptr = (detail_text), .len_bytes = sizeof(detail_text) - 1}},
#include "logs/nginx_causes.def"
#undef NGINX_MESSAGE
};

static bool holds(struct slice text, struct slice part)
{
    return part.len_bytes == 0 || slice_find(text, part) >= 0;
}

static enum log_nginx_cause cause_of(struct slice message)
{
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if (holds(message, causes[i].what) && holds(message, causes[i].detail))
            return causes[i].cause;
    }
    return NGINX_OTHER;
}

/* "[error] 14494#14494: *6 ", the connection only where there is one */
static bool take_head(struct scan *scan, struct log_nginx_error *nginx)
{
    struct scan ahead;
    int64_t thread;

    if (!scan_text(scan, SLICE(" [")) || !scan_until(scan, ']', &nginx->level) ||
        nginx->level.len_bytes > 8 || !scan_byte(scan, ' ') || !scan_int(scan, &nginx->pid) ||
        !scan_byte(scan, '#') || !scan_int(scan, &thread) || !scan_byte(scan, ':'))
        return false;
    scan_blanks(scan);
    ahead = *scan;
    if (scan_byte(&ahead, '*') && scan_int(&ahead, &nginx->connection)) {
        *scan = ahead;
        scan_blanks(scan);
    }
    return true;
}

/* Where the message ends: PHP's own words may hold ", client: ", so they are stepped over. */
static size_t message_length(struct slice text)
{
    static const struct slice client = {.ptr = ", client: ", .len_bytes = 10};
    struct scan scan = scan_of(text);
    ptrdiff_t at;

    if (slice_starts(text, SLICE("FastCGI sent in stderr: ")))
        while (scan_past(&scan, SLICE("\" while ")))
            ;
    at = slice_find(scan_rest(&scan), client);
    return at < 0 ? text.len_bytes : (size_t) (scan.at - text.ptr + at);
}

/* , name: value (up to the next ", " or the end) */
static bool take_bare(struct scan *scan, struct slice name, struct slice *ret_value)
{
    ptrdiff_t end;

    if (!scan_text(scan, name))
        return false;
    end = slice_find(scan_rest(scan), SLICE(", "));
    *ret_value = end < 0 ? scan_rest(scan) : slice_head(scan_rest(scan), (size_t) end);
    scan->at += ret_value->len_bytes;
    return true;
}

/* , name: "value" -- the value ends at a quote that the next part or the end follows */
static bool take_quoted(struct scan *scan, struct slice name, struct slice *ret_value)
{
    struct scan ahead = *scan;

    if (!scan_text(&ahead, name) || !scan_byte(&ahead, '"'))
        return false;
    *ret_value = scan_rest(&ahead);
    for (struct slice piece; scan_until(&ahead, '"', &piece);) {
        if (scan_done(&ahead) || slice_starts(scan_rest(&ahead), SLICE(", "))) {
            *ret_value = scan_between(ret_value->ptr, ahead.at - 1);
            *scan = ahead;
            return true;
        }
    }
    scan->at = scan->end; /* cut off: keep what there is */
    return true;
}

/* The request line may hold quotes; a whole one ends in its protocol: HTTP/1.1", */
static void take_request(struct scan *scan, struct slice *ret_request)
{
    struct scan ahead = *scan;
    const char *first;
    int64_t number;

    if (!scan_text(&ahead, SLICE(", request: \"")))
        return;
    first = ahead.at;
    while (scan_past(&ahead, SLICE(" HTTP/"))) {
        if (scan_int(&ahead, &number) && scan_byte(&ahead, '.') && scan_int(&ahead, &number) &&
            scan_byte(&ahead, '"')) {
            *ret_request = scan_between(first, ahead.at - 1);
            *scan = ahead;
            return;
        }
    }
    (void) take_quoted(scan, SLICE(", request: "), ret_request);
}

static void take_tail(struct scan *scan, struct log_nginx_error *nginx)
{
    struct slice request = {0}, ignored;

    (void) take_bare(scan, SLICE(", client: "), &nginx->client);
    (void) take_bare(scan, SLICE(", server: "), &nginx->server);
    take_request(scan, &request);
    (void) take_quoted(scan, SLICE(", subrequest: "), &ignored);
    (void) take_quoted(scan, SLICE(", upstream: "), &nginx->upstream);
    (void) take_quoted(scan, SLICE(", host: "), &nginx->host);
    (void) take_quoted(scan, SLICE(", referrer: "), &nginx->referer);
    (void) access_split_request(request, &nginx->method, &nginx->uri, &ignored, &ignored);
}

bool nginx_error_parse(struct slice record, const struct log_context *context,
                       struct log_event *ret_event)
{
    struct log_nginx_error *nginx = &ret_event->nginx;
    struct scan scan = scan_of(record);
    struct log_time time;

    if (!log_time_nginx(&scan, context, &time))
        return false;
    log_event_init(ret_event, LOG_NGINX_ERROR);
    log_time_put(&time, ret_event);
    if (!take_head(&scan, nginx))
        return false;
    nginx->message = slice_head(scan_rest(&scan), message_length(scan_rest(&scan)));
    scan.at += nginx->message.len_bytes;
    take_tail(&scan, nginx);
    nginx->cause = cause_of(nginx->message);
    nginx->fastcgi = slice_starts(nginx->upstream, SLICE("fastcgi://"));
    nginx->after_header = holds(nginx->message, SLICE("while reading upstream"));
    return true;
}
