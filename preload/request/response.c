/* response.c - see response.h. */
#include "request/response.h"

#include <string.h>
#include <strings.h>

#include "banned.h"

enum { HTTP_OK = 200 };

/* php-fpm's status and ping pages carry exactly these two lines in this order; they run no script,
 * so nothing else tells them from one. */
static const char expires_line[] = "Expires: Thu, 01 Jan 1970 00:00:00 GMT";
static const char uncached_line[] = "Cache-Control: no-cache, no-store, must-revalidate, max-age=0";
_Static_assert(sizeof uncached_line < RESPONSE_LINE_BYTES, "a line that came in parts is cut");

static uint16_t response_parse_status(const char *text, size_t len_bytes)
{
    uint16_t status = 0;
    size_t at = 0;

    while (at < len_bytes && text[at] == ' ')
        at++;
    for (size_t end = at + 3; at < end; at++) {
        if (at >= len_bytes || text[at] < '0' || text[at] > '9')
            return 0;
        status = (uint16_t) (status * 10 + (text[at] - '0'));
    }
    return status;
}

static void response_on_line(struct response *response, const char *line, size_t len)
{
    static const char name[] = "Status:";
    size_t name_bytes = sizeof name - 1;
    bool after_expires = response->after_expires;

    if (len > RESPONSE_LINE_BYTES)
        len = RESPONSE_LINE_BYTES; /* as of a line that came in parts */
    if (len > 0 && line[len - 1] == '\r')
        len--;
    response->after_expires =
        len == sizeof expires_line - 1 && memcmp(line, expires_line, len) == 0;
    if (len == 0) {
        response->head_done = true;
        response->status = response->seen_status ? response->seen_status : HTTP_OK;
    } else if ((line[0] | 0x20) == 's' && len > name_bytes &&
               strncasecmp(line, name, name_bytes) == 0) {
        response->seen_status = response_parse_status(line + name_bytes, len - name_bytes);
    } else if (after_expires && len == sizeof uncached_line - 1 &&
               memcmp(line, uncached_line, len) == 0) {
        response->builtin = true;
    }
}

/* Part of a line: its end is not here, or its beginning was not. */
static void response_keep(struct response *response, const uint8_t *bytes, size_t len_bytes)
{
    size_t room = RESPONSE_LINE_BYTES - response->line_bytes;
    size_t kept = len_bytes < room ? len_bytes : room;

    memcpy(response->line + response->line_bytes, bytes, kept);
    response->line_bytes = (uint8_t) (response->line_bytes + kept);
}

/* Nearly no line does; an empty one always. */
static bool response_may_matter(const struct response *response, const uint8_t *line, size_t len)
{
    return len <= 1 || response->after_expires || (line[0] | 0x20) == 's' ||
           line[0] == (uint8_t) expires_line[0];
}

static void response_end_line(struct response *response, const uint8_t *bytes, size_t len_bytes)
{
    if (response->line_bytes == 0) {
        if (response_may_matter(response, bytes, len_bytes))
            response_on_line(response, (const char *) bytes, len_bytes);
        return;
    }
    response_keep(response, bytes, len_bytes);
    response_on_line(response, response->line, response->line_bytes);
    response->line_bytes = 0;
}

void response_feed(struct response *response, const uint8_t *bytes, size_t len_bytes)
{
    const uint8_t *end = bytes + len_bytes;

    if (response->head_done || len_bytes == 0)
        return;
    response->head_bytes += (uint32_t) len_bytes;
    while (bytes < end && !response->head_done) {
        const uint8_t *newline = memchr(bytes, '\n', (size_t) (end - bytes));

        if (!newline) {
            response_keep(response, bytes, (size_t) (end - bytes));
            break;
        }
        response_end_line(response, bytes, (size_t) (newline - bytes));
        bytes = newline + 1;
    }
    /* No end of the header lines in sight: not a response that a web server would take either. */
    if (response->head_bytes > RESPONSE_HEAD_MAX_BYTES)
        response->head_done = true;
}
