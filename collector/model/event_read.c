/*
 * event_read.c - bytes of a file into lines, lines into events.
 *
 * A buffer of four longest lines is filled from zlib, which passes plain files through; the part of
 * a line at its end moves to the front before the next fill.  A line that does not fit is dropped
 * up to its end.
 */
#include "model/event_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "model/event_parse.h"

enum { BUFFER_BYTES = 4 * EVENT_LINE_MAX_BYTES };

struct event_reader {
    gzFile file;
    struct event_parser *parser;
    struct event_read_stats stats;
    size_t begin_bytes, end_bytes; /* what of the buffer is not used yet */
    bool at_eof;
    bool in_long_line; /* its beginning was dropped already */
    char buffer[BUFFER_BYTES];
};

/* A descriptor that gzdopen() may own. */
static int open_fd(const char *path)
{
    const int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                          : open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int event_reader_open(const char *path, struct event_reader **ret_reader)
{
    struct event_reader *reader;
    const int fd = open_fd(path);

    if (fd < 0)
        return fd;
    reader = calloc(1, sizeof *reader);
    if (reader) {
        reader->file = gzdopen(fd, "rb");
        reader->parser = event_parser_new();
    }
    if (!reader || !reader->file || !reader->parser) {
        if (!reader || !reader->file)
            close(fd);
        event_reader_close(reader);
        return -ENOMEM;
    }
    gzbuffer(reader->file, EVENT_LINE_MAX_BYTES);
    *ret_reader = reader;
    return 0;
}

void event_reader_close(struct event_reader *reader)
{
    if (!reader)
        return;
    if (reader->file)
        gzclose(reader->file);
    event_parser_free(reader->parser);
    free(reader);
}

/* Read more bytes behind those that are there.  0 also at the end of the file; -errno. */
static int fill(struct event_reader *reader)
{
    const size_t kept = reader->end_bytes - reader->begin_bytes;
    int got, error;

    memmove(reader->buffer, reader->buffer + reader->begin_bytes, kept);
    reader->begin_bytes = 0;
    reader->end_bytes = kept;
    errno = 0;
    got = gzread(reader->file, reader->buffer + kept, (unsigned) (BUFFER_BYTES - kept));
    if (got > 0) {
        reader->end_bytes += (size_t) got;
        return 0;
    }
    reader->at_eof = true;
    gzerror(reader->file, &error);
    if (error == Z_ERRNO && errno != 0)
        return -errno;
    if (error != Z_OK && error != Z_STREAM_END)
        reader->stats.cut_short = true;
    return 0;
}

static void count_long_line(struct event_reader *reader)
{
    reader->stats.lines++;
    if (reader->stats.long_lines++ == 0)
        reader->stats.first_long_line = reader->stats.lines;
}

/* The buffer is full of one line: forget it, and remember to skip the rest. */
static void drop_buffer(struct event_reader *reader)
{
    reader->begin_bytes = reader->end_bytes = 0;
    if (!reader->in_long_line)
        count_long_line(reader);
    reader->in_long_line = true;
}

/* Take a whole line out of the buffer; false when there is none. */
static bool next_line(struct event_reader *reader, struct slice *ret_line)
{
    const struct slice rest = {.ptr = reader->buffer + reader->begin_bytes,
                               .len_bytes = reader->end_bytes - reader->begin_bytes};
    const ptrdiff_t newline = slice_index(rest, '\n');

    if (newline >= 0) {
        *ret_line = slice_head(rest, (size_t) newline);
        reader->begin_bytes += (size_t) newline + 1;
        return true;
    }
    if (!reader->at_eof || rest.len_bytes == 0)
        return false;
    *ret_line = rest; /* the last line of a file that does not end with a newline */
    reader->begin_bytes = reader->end_bytes;
    return true;
}

/* Count what became of a line; true when it is an event. */
static bool account(struct event_reader *reader, int parsed)
{
    struct event_read_stats *stats = &reader->stats;

    if (parsed == -EMSGSIZE) {
        count_long_line(reader);
        return false;
    }
    stats->lines++;
    if (parsed == -EBADMSG) {
        if (stats->damaged_lines++ == 0)
            stats->first_damaged_line = stats->lines;
        /* A writer that was killed leaves half a line at the end: that is not damage alone. */
        if (reader->at_eof && reader->begin_bytes == reader->end_bytes &&
            reader->buffer[reader->end_bytes - 1] != '\n')
            stats->cut_short = true;
    }
    stats->unknown_lines += parsed == -ENOMSG;
    stats->events += parsed == 0;
    return parsed == 0;
}

int event_reader_next(struct event_reader *reader, struct event *ret_event)
{
    struct slice line;

    for (;;) {
        if (next_line(reader, &line)) {
            if (reader->in_long_line)
                reader->in_long_line = false;
            else if (account(reader, event_parse(reader->parser, line, ret_event)))
                return 1;
            continue;
        }
        if (reader->at_eof)
            return 0;
        if (reader->end_bytes - reader->begin_bytes == BUFFER_BYTES)
            drop_buffer(reader);

        const int r = fill(reader);

        if (r < 0)
            return r;
    }
}

const struct event_read_stats *event_reader_stats(const struct event_reader *reader)
{
    return &reader->stats;
}

void event_read_stats_print(const struct event_read_stats *stats, const char *prefix, FILE *out)
{
    if (stats->damaged_lines > 0)
        fprintf(out,
                "%s%" PRIu64 " of %" PRIu64 " lines are damaged, the first is line %" PRIu64 "\n",
                prefix, stats->damaged_lines, stats->lines, stats->first_damaged_line);
    if (stats->long_lines > 0)
        fprintf(out,
                "%s%" PRIu64 " lines are longer than %d bytes, the first is line %" PRIu64 "\n",
                prefix, stats->long_lines, EVENT_LINE_MAX_BYTES, stats->first_long_line);
    if (stats->cut_short)
        fprintf(out, "%sthe stream breaks off after line %" PRIu64 "\n", prefix, stats->lines);
}
