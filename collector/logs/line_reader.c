/*
 * line_reader.c - one buffer of unpacked bytes, refilled by read() or inflate(), searched for \n.
 *
 *     text: [ given | begin ... lines ... end | room ]     in: packed bytes, only for gzip
 */
#include "logs/line_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum {
    TEXT_BYTES = 2 * LOG_LINE_MAX_BYTES,
    IN_BYTES = 64 << 10,
    MAGIC_BYTES = 6,
};

struct line_reader {
    int fd;
    bool follow, at_end, started, skipping; /* skipping: the rest of a line that was cut */
    bool gzip, member_open;
    z_stream z;
    int64_t begin_offset_bytes, read_bytes;
    size_t begin, end;
    char *text;
    unsigned char *in;
};

int line_reader_new(int fd, bool follow, int64_t offset_bytes, struct line_reader **ret_reader)
{
    struct line_reader *reader = calloc(1, sizeof *reader);

    if (!reader) {
        close(fd);
        return -ENOMEM;
    }
    reader->fd = fd;
    reader->follow = follow;
    reader->begin_offset_bytes = offset_bytes;
    reader->text = malloc(TEXT_BYTES);
    if (!reader->text) {
        line_reader_free(reader);
        return -ENOMEM;
    }
    *ret_reader = reader;
    return 0;
}

void line_reader_free(struct line_reader *reader)
{
    if (!reader)
        return;
    if (reader->gzip)
        inflateEnd(&reader->z);
    free(reader->in);
    free(reader->text);
    close(reader->fd);
    free(reader);
}

int64_t line_reader_read_bytes(const struct line_reader *reader)
{
    return reader->read_bytes;
}

int64_t line_reader_offset(const struct line_reader *reader)
{
    return reader->begin_offset_bytes;
}

/* read() until something comes; 0 at the end. */
static ssize_t take(struct line_reader *reader, void *into, size_t size_bytes)
{
    ssize_t n;

    do
        n = read(reader->fd, into, size_bytes);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    reader->read_bytes += n;
    return n;
}

static int refill_plain(struct line_reader *reader)
{
    ssize_t n = take(reader, reader->text + reader->end, TEXT_BYTES - reader->end);

    if (n < 0)
        return (int) n;
    reader->end += (size_t) n;
    reader->at_end = n == 0;
    return 0;
}

/* Packed bytes are there, or the file is at its end (avail_in 0). */
static int refill_in(struct line_reader *reader)
{
    ssize_t n;

    if (reader->z.avail_in > 0)
        return 0;
    n = take(reader, reader->in, IN_BYTES);
    if (n < 0)
        return (int) n;
    reader->z.next_in = reader->in;
    reader->z.avail_in = (uInt) n;
    return 0;
}

/* A .gz may be several members in a row (logrotate appends); what else follows is padding. */
static bool next_member(struct line_reader *reader)
{
    if (reader->z.avail_in == 0 || reader->z.next_in[0] != 0x1f)
        return false;
    reader->member_open = true;
    return inflateReset(&reader->z) == Z_OK;
}

static int refill_gzip(struct line_reader *reader)
{
    size_t room = TEXT_BYTES - reader->end;
    int r;

    while (room > 0) {
        reader->z.avail_out = (uInt) room;
        r = refill_in(reader);
        if (r < 0)
            return r;
        if (!reader->member_open && !next_member(reader)) {
            reader->at_end = true;
            return 0;
        }
        if (reader->z.avail_in == 0)
            return -EBADMSG; /* inside a member */
        reader->z.next_out = (unsigned char *) reader->text + reader->end;
        r = inflate(&reader->z, Z_NO_FLUSH);
        if (r != Z_OK && r != Z_STREAM_END)
            return -EBADMSG;
        reader->member_open = r != Z_STREAM_END;
        if (reader->z.avail_out < room) {
            reader->end += room - reader->z.avail_out;
            return 0;
        }
    }
    return 0;
}

/* Unpack what has been read so far as text. */
static int start_gzip(struct line_reader *reader)
{
    reader->in = malloc(IN_BYTES);
    if (!reader->in || reader->end > IN_BYTES || inflateInit2(&reader->z, 15 + 16) != Z_OK)
        return -ENOMEM;
    memcpy(reader->in, reader->text, reader->end);
    reader->z.next_in = reader->in;
    reader->z.avail_in = (uInt) reader->end;
    reader->end = 0;
    reader->gzip = true;
    reader->member_open = true;
    return refill_gzip(reader);
}

static bool is_packed_otherwise(struct slice head)
{
    return slice_starts(head, (struct slice){"\x28\xb5\x2f\xfd", 4}) || /* zstd */
           slice_starts(head, (struct slice){"\xfd\x37zXZ", 5}) ||      /* xz */
           slice_starts(head, (struct slice){"BZh", 3}) ||              /* bzip2 */
           slice_starts(head, (struct slice){"PK\x03\x04", 4});         /* zip */
}

/* The first bytes say whether this is gzip; a pipe may give them one by one. */
static int start(struct line_reader *reader)
{
    struct slice head;

    reader->started = true;
    if (reader->follow)
        return refill_plain(reader);
    while (reader->end < MAGIC_BYTES && !reader->at_end) {
        ssize_t n = take(reader, reader->text + reader->end, IN_BYTES - reader->end);

        if (n < 0)
            return (int) n;
        reader->end += (size_t) n;
        reader->at_end = n == 0;
    }
    head = (struct slice){.ptr = reader->text, .len_bytes = reader->end};
    if (slice_starts(head, (struct slice){"\x1f\x8b", 2})) {
        reader->at_end = false;
        return start_gzip(reader);
    }
    return is_packed_otherwise(head) ? -ENOTSUP : 0;
}

static int refill(struct line_reader *reader)
{
    if (reader->begin > 0) {
        memmove(reader->text, reader->text + reader->begin, reader->end - reader->begin);
        reader->end -= reader->begin;
        reader->begin = 0;
    }
    if (!reader->started)
        return start(reader);
    return reader->gzip ? refill_gzip(reader) : refill_plain(reader);
}

static void give(struct line_reader *reader, size_t len_bytes, size_t taken_bytes, bool cut,
                 struct log_line *ret_line)
{
    const char *first = reader->text + reader->begin;

    if (!cut && len_bytes > 0 && first[len_bytes - 1] == '\r')
        len_bytes--;
    *ret_line = (struct log_line){
        .text = {.ptr = first, .len_bytes = len_bytes},
        .offset_bytes = reader->begin_offset_bytes,
        .cut = cut,
    };
    reader->begin += taken_bytes;
    reader->begin_offset_bytes += (int64_t) taken_bytes;
}

/* Drop what belongs to a line that was cut; true when its end was there. */
static bool skip_rest(struct line_reader *reader, const char *newline)
{
    const char *first = reader->text + reader->begin;
    size_t n = newline ? (size_t) (newline - first) + 1 : reader->end - reader->begin;

    reader->begin += n;
    reader->begin_offset_bytes += (int64_t) n;
    reader->skipping = newline == NULL;
    return newline != NULL;
}

/* A line out of what is in the buffer; false: there is none yet. */
static bool next_in_buffer(struct line_reader *reader, struct log_line *ret_line)
{
    for (;;) {
        size_t left = reader->end - reader->begin;
        const char *first = reader->text + reader->begin;
        const char *newline = left ? memchr(first, '\n', left) : NULL;
        size_t len_bytes = newline ? (size_t) (newline - first) : left;

        if (reader->skipping) {
            if (!skip_rest(reader, newline))
                return false;
            continue;
        }
        if (len_bytes > LOG_LINE_MAX_BYTES) {
            reader->skipping = true;
            give(reader, LOG_LINE_MAX_BYTES, LOG_LINE_MAX_BYTES, true, ret_line);
            return true;
        }
        if (!newline)
            return false;
        give(reader, len_bytes, len_bytes + 1, false, ret_line);
        return true;
    }
}

int line_reader_next(struct line_reader *reader, struct log_line *ret_line)
{
    if (reader->follow)
        reader->at_end = false;
    while (!next_in_buffer(reader, ret_line)) {
        int r;

        if (reader->at_end) {
            if (reader->follow || reader->begin == reader->end)
                return 0;
            give(reader, reader->end - reader->begin, reader->end - reader->begin, false, ret_line);
            return 1;
        }
        r = refill(reader);
        if (r < 0) {
            reader->at_end = true; /* a further call gives what is left, then 0 */
            return r;
        }
    }
    return 1;
}
