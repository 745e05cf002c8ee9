/*
 * log_context.h - what a parser must know that its line does not say: today's date, the zone of
 * times without one, and room to undo escapes.
 */
#ifndef FPMSCOPE_LOGS_LOG_CONTEXT_H
#define FPMSCOPE_LOGS_LOG_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How to read a local time that has no zone: this machine's zone (TZ), or a fixed offset. */
struct log_zone {
    bool local;       /* true: this machine's, with its summer time */
    int32_t offset_s; /* else: seconds east of UTC; 0 is UTC */
};

/* One line's scratch space: unescaped texts live here until the next line. */
struct log_scratch {
    char *ptr;
    size_t size_bytes, used_bytes;
};

struct access_names;
struct access_format;

struct log_context {
    int64_t reference_us; /* no line is (much) younger than this: resolves dates without a year */
    struct log_zone zone;
    struct log_scratch *scratch;        /* twice as large as the line; reset before each */
    const struct access_names *names;   /* access lines: what the names of fields mean */
    const struct access_format *format; /* access lines by a log_format; NULL: none was given */
};

#endif
