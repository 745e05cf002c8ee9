/* fcgi_bytes.h - put FastCGI streams together, for tests. */
#ifndef FPMSCOPE_TESTS_FCGI_BYTES_H
#define FPMSCOPE_TESTS_FCGI_BYTES_H

#include <stdint.h>
#include <string.h>

#include "request/fcgi_records.h"

struct fcgi_stream {
    uint8_t bytes[1 << 18];
    size_t len;
};

static inline void fcgi_put(struct fcgi_stream *stream, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(stream->bytes + stream->len, bytes, len);
    stream->len += len;
}

static inline void fcgi_put_record(struct fcgi_stream *stream, enum fcgi_type type,
                                   const void *content, size_t len, uint8_t padding)
{
    const uint8_t header[] = {1, (uint8_t) type, 0, 1, (uint8_t) (len >> 8), (uint8_t) len, padding,
                              0};
    static const uint8_t zeros[255];

    fcgi_put(stream, header, sizeof header);
    fcgi_put(stream, content, len);
    fcgi_put(stream, zeros, padding);
}

static inline void fcgi_put_begin(struct fcgi_stream *stream, int keep)
{
    const uint8_t body[8] = {0, 1, (uint8_t) keep};

    fcgi_put_record(stream, FCGI_BEGIN_REQUEST, body, sizeof body, 0);
}

static inline size_t fcgi_pair(uint8_t *out, const char *name, const char *value)
{
    size_t name_len = strlen(name), value_len = strlen(value), at = 0;

    out[at++] = (uint8_t) name_len;
    if (value_len < 128) {
        out[at++] = (uint8_t) value_len;
    } else {
        out[at++] = (uint8_t) (0x80 | value_len >> 24);
        out[at++] = (uint8_t) (value_len >> 16);
        out[at++] = (uint8_t) (value_len >> 8);
        out[at++] = (uint8_t) value_len;
    }
    memcpy(out + at, name, name_len);
    memcpy(out + at + name_len, value, value_len);
    return at + name_len + value_len;
}

static inline void fcgi_put_param(struct fcgi_stream *stream, const char *name, const char *value)
{
    uint8_t pair[1 << 16];

    fcgi_put_record(stream, FCGI_PARAMS, pair, fcgi_pair(pair, name, value), 0);
}

static inline void fcgi_put_request(struct fcgi_stream *stream, const char *uri, int keep)
{
    fcgi_put_begin(stream, keep);
    fcgi_put_param(stream, "REQUEST_METHOD", "GET");
    fcgi_put_param(stream, "REQUEST_URI", uri);
    fcgi_put_record(stream, FCGI_PARAMS, NULL, 0, 0);
}

static inline void fcgi_put_answer(struct fcgi_stream *stream, const char *head)
{
    static const uint8_t end[8];

    fcgi_put_record(stream, FCGI_STDOUT, head, strlen(head), 3);
    fcgi_put_record(stream, FCGI_END_REQUEST, end, sizeof end, 0);
}

#endif
