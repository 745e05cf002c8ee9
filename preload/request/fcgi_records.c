/* fcgi_records.c - see fcgi_records.h. */
#include "request/fcgi_records.h"

#include <string.h>

#include "banned.h"

static const uint8_t *fcgi_take(struct fcgi_bytes *bytes, size_t len)
{
    const uint8_t *taken = bytes->ptr;

    bytes->ptr += len;
    bytes->len_bytes -= len;
    return taken;
}

static size_t fcgi_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static uint16_t fcgi_content_bytes(const struct fcgi_records *records)
{
    return (uint16_t) (records->header[4] << 8 | records->header[5]);
}

/* True when the header is complete and names a FastCGI record. */
static bool fcgi_take_header(struct fcgi_records *records, struct fcgi_bytes *bytes)
{
    size_t missing = FCGI_HEADER_BYTES - records->header_len_bytes;
    size_t len = fcgi_least(missing, bytes->len_bytes);

    memcpy(records->header + records->header_len_bytes, fcgi_take(bytes, len), len);
    records->header_len_bytes = (uint8_t) (records->header_len_bytes + len);
    if (len < missing)
        return false;
    records->broken = records->header[0] != FCGI_VERSION;
    records->content_left_bytes = fcgi_content_bytes(records);
    records->padding_left_bytes = records->header[6];
    return !records->broken;
}

static void fcgi_take_padding(struct fcgi_records *records, struct fcgi_bytes *bytes)
{
    size_t len = fcgi_least(records->padding_left_bytes, bytes->len_bytes);

    fcgi_take(bytes, len);
    records->padding_left_bytes = (uint8_t) (records->padding_left_bytes - len);
}

bool fcgi_records_next(struct fcgi_records *records, struct fcgi_bytes *bytes,
                       struct fcgi_piece *ret_piece)
{
    bool first = false;
    uint16_t content_bytes;
    size_t len;

    if (records->broken)
        return false;
    if (records->header_len_bytes == FCGI_HEADER_BYTES && records->content_left_bytes == 0) {
        fcgi_take_padding(records, bytes);
        if (records->padding_left_bytes > 0)
            return false;
        records->header_len_bytes = 0;
    }
    if (records->header_len_bytes < FCGI_HEADER_BYTES) {
        if (bytes->len_bytes == 0 || !fcgi_take_header(records, bytes))
            return false;
        first = true;
    }
    len = fcgi_least(records->content_left_bytes, bytes->len_bytes);
    if (len == 0 && !first)
        return false;
    content_bytes = fcgi_content_bytes(records);
    *ret_piece = (struct fcgi_piece){
        .type = records->header[1],
        .first = first,
        .last = records->content_left_bytes == len,
        .content_bytes = content_bytes,
        .offset_bytes = (uint16_t) (content_bytes - records->content_left_bytes),
        .len_bytes = (uint16_t) len,
        .bytes = fcgi_take(bytes, len),
    };
    records->content_left_bytes = (uint16_t) (records->content_left_bytes - len);
    return true;
}
