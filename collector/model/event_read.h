/*
 * event_read.h - a file with an event stream, plain or gzip, or stdin -> events, one at a time.
 *
 * Memory does not depend on the length of the stream (about 0.5 MiB).  What cannot be used is
 * skipped and counted with the number of the first such line; nothing in a file is fatal.
 */
#ifndef FPMSCOPE_MODEL_EVENT_READ_H
#define FPMSCOPE_MODEL_EVENT_READ_H

#include <stdio.h>

#include "model/event.h"

struct event_reader;

/* What was read so far; lines are numbered from 1, 0 means "none". */
struct event_read_stats {
    uint64_t lines;
    uint64_t events;
    uint64_t unknown_lines; /* kinds of a later version, empty lines: skipped, nothing is wrong */
    uint64_t damaged_lines;
    uint64_t first_damaged_line;
    uint64_t long_lines; /* above EVENT_LINE_MAX_BYTES */
    uint64_t first_long_line;
    bool cut_short; /* the last line has no end, or the gzip stream breaks off */
};

/* `path` "-" is stdin.  0, -errno (the file cannot be opened), or -ENOMEM. */
int event_reader_open(const char *path, struct event_reader **ret_reader);
void event_reader_close(struct event_reader *reader);

/*
 * 1 and the next event, whose texts are valid until the next call; 0 at the end of the stream;
 * -errno when reading fails (a directory, a broken disk).  Damaged gzip data ends the stream and
 * sets `cut_short`.
 */
int event_reader_next(struct event_reader *reader, struct event *ret_event);

const struct event_read_stats *event_reader_stats(const struct event_reader *reader);

/* One line of English for each thing that was skipped, each starting with `prefix`; nothing when
 * everything was read. */
void event_read_stats_print(const struct event_read_stats *stats, const char *prefix, FILE *out);

#endif
