/* tracker.c - see tracker.h. */
#include "request/tracker.h"

#include <string.h>

#include "fpmscope/wire.h"
#include "banned.h"

enum { FCGI_FLAGS_AT = 2, FCGI_KEEP_CONN = 1 };

/* Not the texts, only their lengths: a slot is 4 KB, and this runs in every request. */
static void tracker_clear(struct recorder_request *request)
{
    request->seq = 0;
    request->phase = RECORDER_IDLE;
    request->flags = 0;
    request->begin_us = 0;
    request->response_us = 0;
    request->status = 0;
#define RECORDER_TEXT(field, bytes) request->field##_len_bytes = 0;
    RECORDER_REQUEST_TEXTS(RECORDER_TEXT)
#undef RECORDER_TEXT
}

static __attribute__((noinline)) void tracker_begin(struct tracker *tracker)
{
    tracker->keep = false;
    tracker->state = TRACKER_RECEIVING;
    tracker->script_ended = false;
    memset(&tracker->params, 0, offsetof(struct params, name));
    memset(&tracker->response, 0, offsetof(struct response, line));
    tracker_clear(tracker->request);
}

/* BEGIN_REQUEST's body is  role(2) flags reserved(5). */
static void tracker_read_flags(struct tracker *tracker, const struct fcgi_piece *piece)
{
    if (piece->offset_bytes > FCGI_FLAGS_AT ||
        piece->offset_bytes + piece->len_bytes <= FCGI_FLAGS_AT)
        return;
    if (piece->bytes[FCGI_FLAGS_AT - piece->offset_bytes] & FCGI_KEEP_CONN) {
        tracker->keep = true;
        tracker->request->flags |= WIRE_REQUEST_KEPT;
    }
}

/* Without REQUEST_URI (a client that is no web server) the script's name is the best there is. */
static __attribute__((noinline)) void tracker_complete(struct tracker *tracker)
{
    struct recorder_request *request = tracker->request;

    if (request->uri_len_bytes == 0) {
        request->uri_len_bytes = request->document_uri_len_bytes;
        memcpy(request->uri, request->document_uri, request->document_uri_len_bytes);
    }
    tracker->state = TRACKER_RUNNING;
}

void tracker_connect(struct tracker *tracker, struct recorder_request *request)
{
    tracker->request = request;
    tracker->state = TRACKER_IDLE;
    tracker->connected = true;
    tracker->keep = false;
    tracker->in = (struct fcgi_records){0};
    tracker->out = (struct fcgi_records){0};
}

static __attribute__((noinline)) bool tracker_read_pieces(struct tracker *tracker,
                                                          const void *bytes, size_t len_bytes)
{
    struct fcgi_bytes left = {bytes, len_bytes};
    struct fcgi_piece piece;
    bool begins = false;

    while (left.len_bytes > 0 && fcgi_records_next(&tracker->in, &left, &piece)) {
        if (piece.type == FCGI_BEGIN_REQUEST && piece.offset_bytes == 0 &&
            tracker->state <= TRACKER_RECEIVING)
            tracker_begin(tracker);
        if (tracker->state != TRACKER_RECEIVING)
            continue;
        if (piece.type == FCGI_BEGIN_REQUEST)
            tracker_read_flags(tracker, &piece);
        if (piece.type != FCGI_PARAMS)
            continue;
        params_feed(&tracker->params, tracker->params_wanted, tracker->request, piece.bytes,
                    piece.len_bytes);
        if (piece.content_bytes == 0) {
            tracker_complete(tracker);
            begins = true;
        }
    }
    if (tracker->in.broken && tracker_in_request(tracker))
        tracker->request->flags |= WIRE_REQUEST_MALFORMED;
    return begins;
}

bool tracker_read(struct tracker *tracker, const void *bytes, size_t len_bytes)
{
    if (fcgi_header_alone(&tracker->in, bytes, len_bytes))
        return false;
    return tracker_read_pieces(tracker, bytes, len_bytes);
}

bool tracker_wrote(struct tracker *tracker, const void *bytes, size_t len_bytes)
{
    struct fcgi_bytes left = {bytes, len_bytes};
    struct fcgi_piece piece;
    bool complete = false;

    while (left.len_bytes > 0 && fcgi_records_next(&tracker->out, &left, &piece)) {
        if (tracker->state != TRACKER_RUNNING)
            continue;
        if (piece.type == FCGI_STDOUT && !tracker->response.head_done) {
            response_feed(&tracker->response, piece.bytes, piece.len_bytes);
            tracker->request->status = tracker->response.status;
            if (tracker->response.builtin)
                tracker->request->flags |= WIRE_REQUEST_BUILTIN;
        }
        if (piece.type == FCGI_END_REQUEST && piece.last) {
            tracker->state = TRACKER_ANSWERED;
            complete = true;
        }
    }
    return complete;
}

void tracker_close(struct tracker *tracker)
{
    if (tracker->state == TRACKER_RUNNING)
        tracker->request->flags |= WIRE_REQUEST_ABORTED;
    if (tracker->state == TRACKER_RECEIVING)
        tracker->state = TRACKER_IDLE;
    tracker->connected = false;
}

void tracker_finish(struct tracker *tracker, struct recorder_request *next)
{
    tracker->state = TRACKER_IDLE;
    tracker->request = next;
}
