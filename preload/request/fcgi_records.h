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

struct fcgi_piece {
    uint8_t type; /* enum fcgi_type, or anything a peer may send */
    bool first, last;
    uint16_t content_bytes; /* of the whole record; 0 closes a stream of records */
    uint16_t offset_bytes;  /* of this piece in the content */
    uint16_t len_bytes;
    const uint8_t *bytes; /* inside the caller's buffer */
};

/* The bytes that one call carried; shrinks as pieces are taken. */
struct fcgi_bytes {
    const uint8_t *ptr;
    size_t len_bytes;
};

/* True: *ret_piece is the next piece.  False: the bytes are used up, or the stream is broken. */
bool fcgi_records_next(struct fcgi_records *records, struct fcgi_bytes *bytes,
                       struct fcgi_piece *ret_piece);

#endif
