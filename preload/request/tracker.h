/*
 * tracker.h - which request is this worker serving, and when is it over?
 *
 * Picture a listener on the line between web server and php-fpm, who hears all bytes and no
 * thoughts.  What it tells:
 *
 *   begins    the PARAMS are complete; the script starts
 *   answered  END_REQUEST was written; the script may go on (fastcgi_finish_request)
 *   over      memory is released: the next accept(), or the next read() of a kept connection
 *             after END_REQUEST.  close() and END_REQUEST are not the end.
 *
 * A kept connection may first bring the unread STDIN of the previous request; it belongs to nobody
 * and is passed over.  PARAMS that never become complete are no request.
 *
 * Pure: no clock, no system calls; times are given.  Malformed bytes end the parsing of that
 * connection, mark the request and harm nothing.
 */
#ifndef FPMSCOPE_REQUEST_TRACKER_H
#define FPMSCOPE_REQUEST_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fpmscope/recorder.h"
#include "request/fcgi_records.h"
#include "request/params.h"
#include "request/response.h"

enum tracker_state {
    TRACKER_IDLE, /* no request on the connection */
    TRACKER_RECEIVING /* BEGIN_REQUEST seen, PARAMS incomplete */,
    TRACKER_RUNNING,
    TRACKER_ANSWERED,
};

struct tracker {
    const struct param_table *params_wanted; /* borrowed */
    struct recorder_request *request;        /* borrowed: where the texts go */
    enum tracker_state state;
    bool connected;
    bool keep;         /* BEGIN_REQUEST asked to keep the connection */
    bool script_ended; /* PHP has shut the request down; believed only if it is ever said */
    struct fcgi_records in, out;
    struct params params;
    struct response response;
};

/* A new connection; `request` is a slot that may be written.  Ends whatever was before. */
void tracker_connect(struct tracker *tracker, struct recorder_request *request);

/* Bytes that php-fpm has read.  True: a request begins. */
bool tracker_read(struct tracker *tracker, const void *bytes, size_t len_bytes);

/* Bytes that php-fpm has written.  True: the response is now complete. */
bool tracker_wrote(struct tracker *tracker, const void *bytes, size_t len_bytes);

/* The connection is closed. */
void tracker_close(struct tracker *tracker);

/* Before a read() of the connection: true when the request must be over, because its response is
 * complete and its script has ended.  `ends_are_seen`: tracker->script_ended is to be relied on. */
static inline bool tracker_over_at_read(const struct tracker *tracker, bool ends_are_seen)
{
    return tracker->state == TRACKER_ANSWERED && tracker->keep &&
           (tracker->script_ended || !ends_are_seen);
}

/* A request is in flight: begun and not over. */
static inline bool tracker_in_request(const struct tracker *tracker)
{
    return tracker->state >= TRACKER_RUNNING;
}

/* The request is over; the next one of a kept connection goes to `next`. */
void tracker_finish(struct tracker *tracker, struct recorder_request *next);

#endif
