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

static void fcgi_take_padding(struct fcgi_records *records, struct fcgi_bytes *bytes)
{
    size_t len = fcgi_least(records->padding_left_bytes, bytes->len_bytes);

    fcgi_take(bytes, len);
    records->padding_left_bytes = (uint8_t) (records->padding_left_bytes - len);
}

/* A header, or NULL when it is not complete yet.  Nearly always it is, and is read where it lies.
 */
static const uint8_t *fcgi_take_header(struct fcgi_records *records, struct fcgi_bytes *bytes)
{
    size_t missing = (size_t) (FCGI_HEADER_BYTES - records->header_len_bytes), len;

    if (missing == FCGI_HEADER_BYTES && bytes->len_bytes >= FCGI_HEADER_BYTES)
        return fcgi_take(bytes, FCGI_HEADER_BYTES);
    len = fcgi_least(missing, bytes->len_bytes);
    memcpy(records->header + records->header_len_bytes, fcgi_take(bytes, len), len);
    records->header_len_bytes = (uint8_t) (records->header_len_bytes + len);
    if (len < missing)
        return NULL;
    records->header_len_bytes = 0;
    return records->header;
}

/* Behind the content of a record: true when the header of the next one is complete. */
static bool fcgi_enter_record(struct fcgi_records *records, struct fcgi_bytes *bytes)
{
    const uint8_t *header;

    if (records->padding_left_bytes > 0)
        fcgi_take_padding(records, bytes);
    if (bytes->len_bytes == 0 || records->broken)
        return false;
    header = fcgi_take_header(records, bytes);
    if (!header)
        return false;
    records->broken = header[0] != FCGI_VERSION;
    records->type = header[1];
    records->content_bytes = (uint16_t) (header[4] << 8 | header[5]);
    records->content_left_bytes = records->broken ? 0 : records->content_bytes;
    records->padding_left_bytes = header[6];
    return !records->broken;
}

bool fcgi_records_next(struct fcgi_records *records, struct fcgi_bytes *bytes,
                       struct fcgi_piece *ret_piece)
{
    bool first = records->content_left_bytes == 0;
    size_t len;

    if (first && !fcgi_enter_record(records, bytes))
        return false;
    len = fcgi_least(records->content_left_bytes, bytes->len_bytes);
    if (len == 0 && !first)
        return false;
    *ret_piece = (struct fcgi_piece){
        .type = records->type,
        .first = first,
        .last = records->content_left_bytes == len,
        .content_bytes = records->content_bytes,
        .offset_bytes = (uint16_t) (records->content_bytes - records->content_left_bytes),
        .len_bytes = (uint16_t) len,
        .bytes = fcgi_take(bytes, len),
    };
    records->content_left_bytes = (uint16_t) (records->content_left_bytes - len);
    return true;
}
