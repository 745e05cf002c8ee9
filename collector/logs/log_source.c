/* log_source.c - one log from its first to its last line, and a sentence about what was odd. */
#include "logs/log_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "logs/journal.h"
#include "logs/line_reader.h"
#include "logs/log_decoder.h"
#include "logs/recognise.h"

enum {
    UNKNOWN_LINES_MAX = 5000,    /* lines read before a file is given up as unknown */
    UNKNOWN_BYTES_MAX = 4 << 20, /* or bytes */
    PROGRESS_BYTES = 1 << 20,    /* how often the clock is read */
    PROGRESS_PERIOD_US = 1000000,
    BINARY_HEAD_BYTES = 4096,
};

/* One reading: the parts that belong together while it lasts. */
struct source {
    const char *path;
    const struct log_options *options;
    struct log_report *report;
    struct line_reader *reader;
    struct journal *journal; /* instead of the reader, when the path is one */
    struct log_options journal_options;
    struct log_decoder *decoder;
    bool is_stdin, binary;
    int64_t lines_max;   /* 0: all */
    int64_t total_bytes; /* -1: not known */
    int64_t progress_us, progress_bytes;
    void *progress_ctx;
};

static int64_t now_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int complain(struct source *source, const char *what, int r)
{
    snprintf(source->report->message, sizeof source->report->message, "%s '%s': %s", what,
             source->path, strerror(-r));
    return r;
}

static int open_path(struct source *source, int *ret_fd, int64_t *ret_mtime_us)
{
    struct stat st;
    int fd = source->is_stdin ? dup(STDIN_FILENO) : open(source->path, O_RDONLY | O_CLOEXEC);
    int r = 0;

    if (fd < 0)
        return complain(source, "cannot open", -errno);
    if (fstat(fd, &st) < 0)
        r = -errno;
    else if (S_ISDIR(st.st_mode))
        r = -EISDIR;
    if (r < 0) {
        close(fd);
        return complain(source, "cannot open", r);
    }
    source->total_bytes = S_ISREG(st.st_mode) ? (int64_t) st.st_size : -1;
    *ret_mtime_us = S_ISREG(st.st_mode) ? (int64_t) st.st_mtim.tv_sec * 1000000 : 0;
    *ret_fd = fd;
    return 0;
}

/* Dates without a year belong before the file's last change, or before now. */
static int64_t reference_us(const struct source *source, int64_t mtime_us)
{
    if (source->options && source->options->reference_us > 0)
        return source->options->reference_us;
    return mtime_us > 0 ? mtime_us : now_us(CLOCK_REALTIME);
}

static void show_progress(struct source *source)
{
    int64_t done_bytes, now;

    if (!source->reader || !source->options || !source->options->on_progress)
        return;
    done_bytes = line_reader_read_bytes(source->reader);
    if (done_bytes - source->progress_bytes < PROGRESS_BYTES)
        return;
    source->progress_bytes = done_bytes;
    now = now_us(CLOCK_MONOTONIC);
    if (now - source->progress_us < PROGRESS_PERIOD_US)
        return;
    source->progress_us = now;
    source->options->on_progress(source->progress_ctx, source->path, done_bytes,
                                 source->total_bytes);
}

/* A file that nobody knows is not read to its end; a pipe may still bring something. */
static bool is_hopeless(const struct source *source, const struct log_line *line)
{
    return !source->is_stdin && source->report->format == LOG_FORMAT_UNKNOWN &&
           (source->report->lines >= UNKNOWN_LINES_MAX || line->offset_bytes >= UNKNOWN_BYTES_MAX);
}

static int next_line(struct source *source, struct log_line *ret_line)
{
    return source->journal ? journal_next(source->journal, 0, ret_line)
                           : line_reader_next(source->reader, ret_line);
}

static int read_lines(struct source *source, log_event_fn on_event, void *ctx)
{
    struct log_line line;
    int r, bad = 0, end;

    while ((r = next_line(source, &line)) != 0) {
        if (r < 0 && source->journal)
            return r;
        if (r < 0) {
            bad = bad ? bad : r;
            continue; /* what was unpacked before is still to come */
        }
        if (line.offset_bytes < BINARY_HEAD_BYTES && slice_index(line.text, '\0') >= 0)
            source->binary = true;
        r = log_decoder_line(source->decoder, &line, on_event, ctx, source->report);
        if (r != 0)
            return r;
        if (is_hopeless(source, &line) || source->report->lines == source->lines_max)
            return 0;
        show_progress(source);
    }
    end = log_decoder_flush(source->decoder, on_event, ctx, source->report);
    return end != 0 ? end : bad;
}

static void describe_unknown(const struct source *source)
{
    struct log_report *report = source->report;

    if (report->lines == 0)
        return;
    if (source->binary)
        snprintf(report->message, sizeof report->message,
                 "skipped '%s': it is a binary file, not a log", source->path);
    else
        snprintf(
            report->message, sizeof report->message,
            "skipped '%s': not a log that fpmscope knows (%lld lines tried); an access log in a "
            "format of its own needs --log-format",
            source->path, (long long) report->lines);
}

static void describe_skipped(const struct source *source)
{
    struct log_report *report = source->report;

    if (log_format_row(report->format)->loose && report->cut_lines == 0)
        return;
    if (report->skipped_lines > 0)
        snprintf(
            report->message, sizeof report->message,
            "'%s': skipped %lld of %lld lines, which are not of its format (%s); the first is at "
            "byte %lld",
            source->path, (long long) report->skipped_lines, (long long) report->lines,
            report->format_title, (long long) report->skipped_offset_bytes);
    else if (report->cut_lines > 0)
        snprintf(report->message, sizeof report->message,
                 "'%s': %lld lines are longer than %d bytes and were cut", source->path,
                 (long long) report->cut_lines, LOG_LINE_MAX_BYTES);
}

static void describe(const struct source *source, int r)
{
    struct log_report *report = source->report;

    if (r == -EBADMSG)
        snprintf(report->message, sizeof report->message,
                 "'%s': the gzip data is damaged or cut off; %lld lines before it were read",
                 source->path, (long long) report->lines);
    else if (r == -ENOTSUP)
        snprintf(report->message, sizeof report->message,
                 "cannot read '%s': packed, but not with gzip; unpack it first", source->path);
    else if (r < 0)
        snprintf(report->message, sizeof report->message, "cannot read '%s': %s", source->path,
                 strerror(-r));
    else if (report->format == LOG_FORMAT_UNKNOWN)
        describe_unknown(source);
    else
        describe_skipped(source);
}

/* Its lines look like one format only, whatever access logs look like. */
static int open_journal(struct source *source, int file)
{
    int r;

    if (source->options)
        source->journal_options = *source->options;
    source->journal_options.access_format = NULL;
    r = journal_open(source->path, source->journal_options.since_us, &source->journal);

    if (r < 0)
        snprintf(source->report->message, sizeof source->report->message, "cannot read '%s': %s",
                 source->path, journal_problem(r));
    return r < 0 ? r
                 : log_decoder_new(&source->journal_options, file, 0, false, &source->decoder,
                                   source->report);
}

static int open_source(struct source *source, int file)
{
    int64_t mtime_us = 0;
    int fd = -1, r;

    if (!source->is_stdin && journal_is(source->path))
        return open_journal(source, file);
    r = open_path(source, &fd, &mtime_us);
    if (r < 0)
        return r;
    r = line_reader_new(fd, false, 0, &source->reader);
    if (r < 0)
        return complain(source, "cannot read", r);
    return log_decoder_new(source->options, file, reference_us(source, mtime_us), source->is_stdin,
                           &source->decoder, source->report);
}

static int read_source(struct source *source, int file, log_event_fn on_event, void *ctx)
{
    int r;

    log_report_init(source->report);
    r = open_source(source, file);
    if (r == 0) {
        r = read_lines(source, on_event, ctx);
        describe(source, r);
    }
    log_decoder_free(source->decoder);
    line_reader_free(source->reader);
    journal_close(source->journal);
    return r;
}

int log_source_read(const char *path, int file, const struct log_options *options,
                    log_event_fn on_event, void *ctx, struct log_report *ret_report)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct source source = {
        .path = is_stdin ? "standard input" : path,
        .options = options,
        .report = ret_report,
        .is_stdin = is_stdin,
        .progress_us = now_us(CLOCK_MONOTONIC),
        .progress_ctx = ctx,
    };

    return read_source(&source, file, on_event, ctx);
}

static int ignore_event(void *ctx, const struct log_event *event)
{
    (void) ctx;
    (void) event;
    return 0;
}

int log_source_peek(const char *path, int64_t lines_max, const struct log_options *options,
                    struct log_report *ret_report)
{
    struct log_options quiet = options ? *options : (struct log_options){0};
    struct source source = {
        .path = path,
        .options = &quiet,
        .report = ret_report,
        .lines_max = lines_max,
    };

    quiet.on_stream_line = NULL;
    quiet.on_progress = NULL;
    return read_source(&source, 0, ignore_event, NULL);
}
