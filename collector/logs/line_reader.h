/*
 * line_reader.h - lines of a file descriptor, plain or gzip, in constant memory.
 *
 * A reader owns its descriptor and two buffers.  Lines end at \n; a \r before it is taken off, NULs
 * are kept.  A line longer than LOG_LINE_MAX_BYTES is given once, cut, and the rest of it skipped.
 */
#ifndef FPMSCOPE_LOGS_LINE_READER_H
#define FPMSCOPE_LOGS_LINE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { LOG_LINE_MAX_BYTES = 128 << 10 /* longer lines are cut here, and counted */ };

struct line_reader;

struct log_line {
    struct slice text;    /* valid until the next call */
    int64_t offset_bytes; /* of its first byte in the unpacked file */
    bool cut;             /* there was more */
};

/*
 * Take over `fd` (closed by line_reader_free, also when this fails).  `follow`: the file may grow;
 * an unfinished last line is kept until its end arrives, and the bytes are never taken for gzip.
 * `offset_bytes`: where the descriptor stands.
 */
int line_reader_new(int fd, bool follow, int64_t offset_bytes, struct line_reader **ret_reader);

void line_reader_free(struct line_reader *reader);

/*
 * 1 and a line; 0 at the end (with `follow`: for now); -EBADMSG when the gzip data is damaged or
 * ends early, -ENOTSUP when the file is packed by another program, or what read() says.
 */
int line_reader_next(struct line_reader *reader, struct log_line *ret_line);

/* Bytes taken from the descriptor; of the packed file when it is one. */
int64_t line_reader_read_bytes(const struct line_reader *reader);

/* Offset (unpacked) of the first byte that no line has been given for yet. */
int64_t line_reader_offset(const struct line_reader *reader);

#endif
