/*
 * fcgi_records.h - cut a FastCGI byte stream into records, however it was chopped by read().
 *
 * A record is  version type id(2) content_length(2) padding_length reserved | content | padding.
 * php-fpm reads and writes records in any number of calls (8 bytes, then content and padding at
 * once), so this parser sees a stream, never calls.  It hands out *pieces*: consecutive parts of
 * one record's content, the last one marked.  It keeps no content and allocates nothing.
 */
#ifndef FPMSCOPE_REQUEST_FCGI_RECORDS_H
#define FPMSCOPE_REQUEST_FCGI_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fcgi_type {
    FCGI_BEGIN_REQUEST = 1,
    FCGI_ABORT_REQUEST = 2,
    FCGI_END_REQUEST = 3,
    FCGI_PARAMS = 4,
    FCGI_STDIN = 5,
    FCGI_STDOUT = 6,
    FCGI_STDERR = 7,
};

enum { FCGI_VERSION = 1, FCGI_HEADER_BYTES = 8 };

/* Zero-initialised: at the start of a stream. */
struct fcgi_records {
    bool broken;  /* not FastCGI; nothing more comes out of this stream */
    uint8_t type; /* of the record that is being read, like the rest */
    uint8_t padding_left_bytes;
    uint8_t header_len_bytes; /* of a header that came in parts */
    uint16_t content_bytes, content_left_bytes;
    uint8_t header[FCGI_HEADER_BYTES];
};

/* Wide members: it lives in registers, and narrow ones would be packed into one. */
struct fcgi_piece {
    uint32_t type;          /* enum fcgi_type, or anything a peer may send */
    uint32_t last;          /* not 0: it is the last of its record */
    uint32_t content_bytes; /* of the whole record; 0 closes a stream of records */
    uint32_t offset_bytes;  /* of this piece in the content; 0: it is the first */
    size_t len_bytes;
    const uint8_t *bytes; /* inside the caller's buffer */
};

/* The bytes that one call carried; shrinks as pieces are taken. */
struct fcgi_bytes {
    const uint8_t *ptr;
    size_t len_bytes;
};

/* What is rare: a header that comes in parts.  Where the whole of it is, or NULL: not yet complete.
 */
const uint8_t *fcgi_join_header(struct fcgi_records *records, struct fcgi_bytes *bytes);

static inline const uint8_t *fcgi_take(struct fcgi_bytes *bytes, size_t len)
{
    const uint8_t *taken = bytes->ptr;

    bytes->ptr += len;
    bytes->len_bytes -= len;
    return taken;
}

/* A header, or NULL.  Nearly always it is complete, and is read where it lies. */
static inline const uint8_t *fcgi_take_header(struct fcgi_records *records,
                                              struct fcgi_bytes *bytes)
{
    if (records->header_len_bytes > 0 || bytes->len_bytes < FCGI_HEADER_BYTES)
        return fcgi_join_header(records, bytes);
    return fcgi_take(bytes, FCGI_HEADER_BYTES);
}

static inline void fcgi_open_record(struct fcgi_records *records, const uint8_t *header)
{
    records->type = header[1];
    records->content_bytes = (uint16_t) (header[4] << 8 | header[5]);
    records->content_left_bytes = records->content_bytes;
    records->padding_left_bytes = header[6];
}

/* Behind the content of a record: true when the header of the next one is complete. */
static inline bool fcgi_enter_record(struct fcgi_records *records, struct fcgi_bytes *bytes)
{
    size_t padding = records->padding_left_bytes;
    const uint8_t *header;

    if (padding > 0) {
        padding = padding < bytes->len_bytes ? padding : bytes->len_bytes;
        fcgi_take(bytes, padding);
        records->padding_left_bytes = (uint8_t) (records->padding_left_bytes - padding);
    }
    if (bytes->len_bytes == 0 || records->broken)
        return false;
    header = fcgi_take_header(records, bytes);
    if (!header)
        return false;
    records->broken = header[0] != FCGI_VERSION;
    if (records->broken)
        return false;
    fcgi_open_record(records, header);
    return true;
}

/* A read() of nothing but a header, as php-fpm's are.  False, and nothing has happened: it is
 * something else, or there is more to it. */
static inline bool fcgi_header_alone(struct fcgi_records *records, const uint8_t *bytes,
                                     size_t len_bytes)
{
    const bool is_between = records->content_left_bytes == 0 && records->padding_left_bytes == 0 &&
                            records->header_len_bytes == 0 && !records->broken;

    if (len_bytes != FCGI_HEADER_BYTES || !is_between || bytes[0] != FCGI_VERSION ||
        (bytes[4] | bytes[5]) == 0)
        return false;
    fcgi_open_record(records, bytes);
    return true;
}

/* True: *ret_piece is the next piece.  False: the bytes are used up, or the stream is broken.  A
 * record whose content is still to come has no piece yet.
 * Inline: it runs about ten times in a request, and most of what a call costs is handing over. */
static inline bool fcgi_records_next(struct fcgi_records *records, struct fcgi_bytes *bytes,
                                     struct fcgi_piece *ret_piece)
{
    size_t len;

    if (records->content_left_bytes == 0 && !fcgi_enter_record(records, bytes))
        return false;
    len = records->content_left_bytes;
    if (len > bytes->len_bytes)
        len = bytes->len_bytes;
    if (len == 0 && records->content_left_bytes > 0)
        return false;
    *ret_piece = (struct fcgi_piece){
        .type = records->type,
        .last = records->content_left_bytes == len,
        .content_bytes = records->content_bytes,
        .offset_bytes = (uint32_t) (records->content_bytes - records->content_left_bytes),
        .len_bytes = len,
        .bytes = fcgi_take(bytes, len),
    };
    records->content_left_bytes = (uint16_t) (records->content_left_bytes - len);
    return true;
}

#endif
