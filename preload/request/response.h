/*
 * response.h - read the HTTP status out of what php-fpm writes.
 *
 * STDOUT begins with the header lines of the response.  Without a "Status:" line the status is 200.
 * Only these first bytes are looked at; the body is skipped by its length.
 */
#ifndef FPMSCOPE_REQUEST_RESPONSE_H
#define FPMSCOPE_REQUEST_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESPONSE_LINE_BYTES = 64, RESPONSE_HEAD_MAX_BYTES = 64 * 1024 };

/* Zero-initialised: nothing was written yet. */
struct response {
    uint16_t status; /* 0 until the header lines are complete */
    bool head_done;
    bool builtin;       /* php-fpm's own status or ping page */
    bool after_expires; /* the last line was the first of the two that give it away */
    uint8_t line_bytes;
    uint16_t seen_status; /* a "Status:" line's */
    uint32_t head_bytes;
    char line[RESPONSE_LINE_BYTES]; /* beginning of a line that came in parts */
};

/* Feed the content of STDOUT records. */
void response_feed(struct response *response, const uint8_t *bytes, size_t len_bytes);

#endif
