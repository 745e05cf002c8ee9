/*
 * log_source.h - reading one log from beginning to end: a file, a .gz, "-" for standard input, or a
 * journal of systemd (journal.h).
 *
 * The format is recognised by the first lines that can be parsed; the name says nothing.  Memory is
 * constant whatever the size.  What cannot be read is counted and described in the report; reading
 * goes on.
 *
 *     static int on_event(void *ctx, const struct log_event *event);
 *     struct log_report report;
 *     r = log_source_read("/var/log/nginx/access.log", 0, &options, on_event, ctx, &report);
 *     if (r < 0 || report.message[0])
 *         fprintf(stderr, "%s\n", report.message);
 *
 * Not thread-safe per call, no globals: two threads may read two files.
 */
#ifndef FPMSCOPE_LOGS_LOG_SOURCE_H
#define FPMSCOPE_LOGS_LOG_SOURCE_H

#include <stdint.h>

#include "base/slice.h"
#include "logs/line_reader.h"
#include "logs/log_context.h"
#include "model/log_event.h"

enum { LOG_MESSAGE_MAX_BYTES = 512 };

enum log_format_id {
    LOG_FORMAT_UNKNOWN,
    LOG_FORMAT_EVENTS,        /* our own event stream: lines go to on_stream_line, unparsed */
    LOG_FORMAT_ACCESS_CUSTOM, /* by the log_format string given in the options */
    LOG_FORMAT_ACCESS_JSON,
    LOG_FORMAT_VARNISHLOG,
    LOG_FORMAT_NGINX_ERROR,
    LOG_FORMAT_PHP_SLOW,
    LOG_FORMAT_FPM,
    LOG_FORMAT_PHP_ERROR,
    LOG_FORMAT_NCSA,
    LOG_FORMAT_ACCESS_COMBINED, /* common, combined, vcombined, with more fields behind */
    LOG_FORMAT_VARNISHD,
    LOG_FORMAT_KERNEL, /* dmesg, syslog, journal; also php-fpm and nginx through syslog */
    LOG_FORMAT_JOURNAL_JSON,
    LOG_FORMAT_JOURNAL_EXPORT,
    LOG_FORMAT_COUNT
};

/*
 * Called for every event, in the order of the file.  The event and its texts are valid until the
 * return.  0 goes on; anything else ends the reading and is returned by the reader.
 */
typedef int (*log_event_fn)(void *ctx, const struct log_event *event);

/* Called for every line of an event stream ({"e":"hdr"...), the header line included. */
typedef int (*log_stream_line_fn)(void *ctx, struct slice line, int64_t offset_bytes);

/* Called at most once a second while a read takes longer; `total_bytes` is -1 when not known. */
typedef void (*log_progress_fn)(void *ctx, const char *path, int64_t done_bytes,
                                int64_t total_bytes);

struct log_options {
    int64_t since_us;     /* what is older need not come (journals are not read from the start) */
    int64_t reference_us; /* resolves dates without a year; 0: the file's mtime, or now */
    struct log_zone zone; /* of times that do not say theirs */
    const char *access_format;         /* an nginx log_format string, or NULL */
    log_stream_line_fn on_stream_line; /* NULL: the lines of event streams are skipped */
    log_progress_fn on_progress;       /* NULL: silent */
};

struct log_report {
    enum log_format_id format;
    const char *format_title;  /* "nginx access log (JSON)", "not recognised" */
    int64_t lines, events;     /* an event may take several lines */
    int64_t skipped_lines;     /* lines that the format does not explain */
    int64_t cut_lines;         /* longer than LOG_LINE_MAX_BYTES */
    int64_t size_bytes;        /* unpacked */
    int64_t first_us, last_us; /* smallest and largest time seen, -1: none */
    bool zone_printed;         /* the lines say their zone; its offset, of the last one: */
    int32_t zone_offset_s;
    int64_t skipped_offset_bytes;        /* of the first skipped line, -1: none */
    char message[LOG_MESSAGE_MAX_BYTES]; /* what went wrong or is unusual, where, what to do; or ""
                                          */
};

/*
 * Read `path` ("-": standard input) and call `on_event` for what it says; `file` is copied into
 * every event.  `options` may be NULL.  Returns 0 (also when the format is unknown: see the
 * report), a negative errno when the file cannot be read, or what the callback returned.
 * `ret_report` is always filled.
 */
int log_source_read(const char *path, int file, const struct log_options *options,
                    log_event_fn on_event, void *ctx, struct log_report *ret_report);

/*
 * The same for the first `lines_max` lines, without events: what is this file, whose zone, since
 * when? Not for "-", whose lines would be gone.
 */
int log_source_peek(const char *path, int64_t lines_max, const struct log_options *options,
                    struct log_report *ret_report);

#endif
