/*
 * varnishlog.c - one transaction of varnishlog (grouped by vxid, request or session).
 *
 *     **  << BeReq    >> 32775
 *     --  Begin          bereq 32774 pass
 *     --  Timestamp      Start: 1795326734.524334 0.000000 0.000000
 *     --  BereqURL       /dames/jassen.html?p=7
 *     --  FetchError     overflow
 *     --  End
 */
#include "logs/log_time.h"
#include "logs/parsers.h"
#include "logs/scan.h"

struct transaction {
    const struct log_context *context;
    struct log_event *event;
    struct log_varnish *varnish;
    bool forwarded; /* the client came from X-Real-IP or X-Forwarded-For */
};

typedef void (*tag_handler)(struct transaction *transaction, struct slice value);

/* "req 32769 rxreq", "bereq 131073 pass" */
static void on_begin(struct transaction *transaction, struct slice value)
{
    struct scan scan = scan_of(value);
    struct slice kind;

    if (scan_token(&scan, &kind) && scan_byte(&scan, ' '))
        (void) scan_int(&scan, &transaction->varnish->parent_vxid);
}

/* "Start: 1795325924.752163 0.000000 0.000000"; the latest one is when the transaction was over */
static void on_timestamp(struct transaction *transaction, struct slice value)
{
    struct scan scan = scan_of(value);
    struct slice label;
    struct log_time time;

    if (!scan_until(&scan, ':', &label) || !scan_byte(&scan, ' ') ||
        !log_time_epoch(&scan, transaction->context, &time))
        return;
    if (slice_equal(label, SLICE("Start")))
        transaction->varnish->start_us = time.us;
    if (time.us >= transaction->event->time_us)
        log_time_put(&time, transaction->event);
}

static void on_client(struct transaction *transaction, struct slice value)
{
    struct scan scan = scan_of(value);

    if (!transaction->forwarded)
        (void) scan_token(&scan, &transaction->varnish->client);
}

static void on_method(struct transaction *transaction, struct slice value)
{
    if (transaction->varnish->method.len_bytes == 0)
        transaction->varnish->method = value;
}

/* VCL may rewrite: a client's transaction keeps what came in, a backend's what went out. */
static void on_url(struct transaction *transaction, struct slice value)
{
    if (transaction->varnish->backend || transaction->varnish->uri.len_bytes == 0)
        transaction->varnish->uri = value;
}

static bool is_header(struct slice header, struct slice name, struct slice *ret_value)
{
    if (header.len_bytes <= name.len_bytes || header.ptr[name.len_bytes] != ':' ||
        strncasecmp(header.ptr, name.ptr, name.len_bytes) != 0)
        return false;
    *ret_value = slice_trim(slice_skip(header, name.len_bytes + 1));
    return true;
}

/* The first address of X-Forwarded-For is the client's. */
static void take_forwarded(struct transaction *transaction, struct slice value)
{
    ptrdiff_t comma = slice_index(value, ',');

    if (transaction->forwarded)
        return;
    transaction->forwarded = true;
    transaction->varnish->client = comma < 0 ? value : slice_head(value, (size_t) comma);
}

static void on_header(struct transaction *transaction, struct slice value)
{
    struct log_varnish *varnish = transaction->varnish;
    struct slice text;

    if (is_header(value, SLICE("Host"), &text))
        varnish->host = text;
    else if (is_header(value, SLICE("X-Request-Id"), &text))
        varnish->request_id = text;
    else if (is_header(value, SLICE("User-Agent"), &text))
        varnish->user_agent = text;
    else if (is_header(value, SLICE("X-Real-IP"), &text) ||
             is_header(value, SLICE("X-Forwarded-For"), &text))
        take_forwarded(transaction, text);
}

static void on_status(struct transaction *transaction, struct slice value)
{
    int64_t status;

    if (scan_whole_int(value, &status) && status >= 0 && status <= 999)
        transaction->varnish->status = (int) status;
}

/* The first one is the cause, the others are what came of it. */
static void on_fetch_error(struct transaction *transaction, struct slice value)
{
    if (transaction->varnish->fetch_error.len_bytes == 0)
        transaction->varnish->fetch_error = value;
}

/* "20 default 127.0.0.1 23081 127.0.0.1 42826 reuse" */
static void on_backend(struct transaction *transaction, struct slice value)
{
    struct scan scan = scan_of(value);
    struct slice fd;

    if (scan_token(&scan, &fd) && scan_byte(&scan, ' '))
        (void) scan_token(&scan, &transaction->varnish->backend_name);
}

/* "20 default close Received buffer overflow" */
static void on_backend_close(struct transaction *transaction, struct slice value)
{
    struct scan scan = scan_of(value);

    on_backend(transaction, value);
    if (scan_past(&scan, SLICE(" close ")))
        transaction->varnish->received = scan_rest(&scan);
}

static void on_vcl_call(struct transaction *transaction, struct slice value)
{
    if (slice_equal(value, SLICE("HIT")))
        transaction->varnish->hit = true;
    else if (slice_equal(value, SLICE("PASS")))
        transaction->varnish->passed = true;
    else if (slice_equal(value, SLICE("PIPE")))
        transaction->varnish->piped = true;
}

static const struct {
    struct slice tag;
    tag_handler handle;
} tags[] = {
#define VARNISH_TAG(text, handler)                                                                 \
    {.tag = {.ptr = (text), .len_bytes = sizeof(text) - 1}, .handle = handler},
#include "logs/varnishlog_tags.def"
#undef VARNISH_TAG
};

/* "-   Tag            value" */
static void take_line(struct transaction *transaction, struct slice line)
{
    struct scan scan = scan_of(line);
    struct slice tag;

    while (scan_byte(&scan, '-'))
        ;
    scan_blanks(&scan);
    if (!scan_token(&scan, &tag))
        return;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (slice_equal(tags[i].tag, tag)) {
            tags[i].handle(transaction, slice_trim(scan_rest(&scan)));
            return;
        }
    }
}

/* "**  << BeReq    >> 32775" */
static bool take_head(struct scan *scan, struct log_varnish *varnish)
{
    struct slice kind;

    while (scan_byte(scan, '*'))
        ;
    scan_blanks(scan);
    if (!scan_text(scan, SLICE("<< ")) || !scan_token(scan, &kind))
        return false;
    scan_blanks(scan);
    varnish->backend = slice_equal(kind, SLICE("BeReq"));
    return scan_text(scan, SLICE(">> ")) && scan_int(scan, &varnish->vxid);
}

bool varnishlog_parse(struct slice record, const struct log_context *context,
                      struct log_event *ret_event)
{
    struct transaction transaction = {
        .context = context, .event = ret_event, .varnish = &ret_event->varnish};
    struct scan scan = scan_of(record);
    struct slice line;

    log_event_init(ret_event, LOG_VARNISH);
    if (scan_peek(&scan) != '*' || !take_head(&scan, transaction.varnish))
        return false;
    while (scan_until(&scan, '\n', &line))
        take_line(&transaction, line);
    take_line(&transaction, scan_rest(&scan));
    if (transaction.varnish->start_us >= 0)
        transaction.varnish->duration_us = ret_event->time_us - transaction.varnish->start_us;
    return true;
}
