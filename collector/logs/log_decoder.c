/*
 * log_decoder.c - lines in, events out.
 *
 * Lines of formats with records of one line go straight to the parser.  The others are collected in
 * `record` (bounded by RECORD_MAX_BYTES) until the record is complete or the next one begins.
 */
#include "logs/log_decoder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "logs/access_draft.h"
#include "logs/access_format.h"
#include "logs/recognise.h"

enum {
    RECORD_MAX_BYTES = LOG_LINE_MAX_BYTES,
    SCRATCH_BYTES = 2 * RECORD_MAX_BYTES,
};

struct log_decoder {
    const struct log_options *options;
    int file;
    bool mixed;
    const struct log_format_row *row; /* NULL: not recognised yet */
    struct log_context context;
    struct log_scratch scratch;
    struct access_names names;
    struct access_format format;
    char *record;
    size_t record_bytes; /* 0: none is open */
    int64_t record_offset_bytes;
};

void log_report_init(struct log_report *report)
{
    *report = (struct log_report){
        .format = LOG_FORMAT_UNKNOWN,
        .format_title = log_format_title(LOG_FORMAT_UNKNOWN),
        .first_us = -1,
        .last_us = -1,
        .skipped_offset_bytes = -1,
    };
}

static int compile_format(struct log_decoder *decoder, struct log_report *report)
{
    const char *text = decoder->options ? decoder->options->access_format : NULL;
    const char *problem;

    if (!text)
        return 0;
    problem = access_format_compile(&decoder->format, &decoder->names, text);
    if (problem) {
        snprintf(report->message, sizeof report->message, "log format '%s' cannot be used: %s",
                 text, problem);
        return -EINVAL;
    }
    decoder->context.format = &decoder->format;
    return 0;
}

int log_decoder_new(const struct log_options *options, int file, int64_t reference_us, bool mixed,
                    struct log_decoder **ret_decoder, struct log_report *report)
{
    struct log_decoder *decoder = calloc(1, sizeof *decoder);
    int r = -ENOMEM;

    if (!decoder)
        return -ENOMEM;
    decoder->options = options;
    decoder->file = file;
    decoder->mixed = mixed;
    decoder->record = malloc(RECORD_MAX_BYTES);
    decoder->scratch.ptr = malloc(SCRATCH_BYTES);
    if (!decoder->record || !decoder->scratch.ptr)
        goto fail;
    decoder->scratch.size_bytes = SCRATCH_BYTES;
    access_names_init(&decoder->names);
    decoder->context.reference_us = reference_us;
    decoder->context.scratch = &decoder->scratch;
    decoder->context.names = &decoder->names;
    if (options)
        decoder->context.zone = options->zone;
    r = compile_format(decoder, report);
    if (r < 0)
        goto fail;
    *ret_decoder = decoder;
    return 0;
fail:
    log_decoder_free(decoder);
    return r;
}

void log_decoder_free(struct log_decoder *decoder)
{
    if (!decoder)
        return;
    free(decoder->record);
    free(decoder->scratch.ptr);
    free(decoder);
}

int64_t log_decoder_pending_offset(const struct log_decoder *decoder)
{
    return decoder->record_bytes > 0 ? decoder->record_offset_bytes : -1;
}

static void count_skipped(struct log_report *report, int64_t offset_bytes)
{
    report->skipped_lines++;
    if (report->skipped_offset_bytes < 0)
        report->skipped_offset_bytes = offset_bytes;
}

static void count_time(struct log_report *report, const struct log_event *event)
{
    if (event->zone_printed) {
        report->zone_printed = true;
        report->zone_offset_s = event->zone_offset_s;
    }
    if (event->time_us < 0 || (event->kind == LOG_KERNEL && event->kernel.uptime_clock))
        return;
    if (report->first_us < 0 || event->time_us < report->first_us)
        report->first_us = event->time_us;
    if (event->time_us > report->last_us)
        report->last_us = event->time_us;
}

static bool parse(struct log_decoder *decoder, struct slice record, struct log_event *event)
{
    const struct log_format_row *row = decoder->row;

    decoder->scratch.used_bytes = 0;
    return row->parse(record, &decoder->context, event) ||
           (row->also && row->also(record, &decoder->context, event));
}

/* false: the record is not of the format */
static bool give(struct log_decoder *decoder, struct slice record, int64_t offset_bytes,
                 log_event_fn on_event, void *ctx, struct log_report *report, int *ret_r)
{
    struct log_event event;

    if (!parse(decoder, record, &event))
        return false;
    event.file = decoder->file;
    event.offset_bytes = offset_bytes;
    event.line = record;
    report->events++;
    count_time(report, &event);
    *ret_r = on_event(ctx, &event);
    return true;
}

int log_decoder_flush(struct log_decoder *decoder, log_event_fn on_event, void *ctx,
                      struct log_report *report)
{
    const struct slice record = {.ptr = decoder->record, .len_bytes = decoder->record_bytes};
    int r = 0;

    if (record.len_bytes == 0)
        return 0;
    decoder->record_bytes = 0;
    if (!give(decoder, record, decoder->record_offset_bytes, on_event, ctx, report, &r))
        count_skipped(report, decoder->record_offset_bytes);
    return r;
}

/* Lines behind the ceiling are dropped; the record keeps its beginning. */
static void append(struct log_decoder *decoder, const struct log_line *line)
{
    size_t gap = decoder->record_bytes > 0;

    if (decoder->record_bytes == 0)
        decoder->record_offset_bytes = line->offset_bytes;
    if (line->text.len_bytes + gap > RECORD_MAX_BYTES - decoder->record_bytes)
        return;
    if (gap)
        decoder->record[decoder->record_bytes++] = '\n';
    if (line->text.len_bytes > 0)
        memcpy(decoder->record + decoder->record_bytes, line->text.ptr, line->text.len_bytes);
    decoder->record_bytes += line->text.len_bytes;
}

static int join(struct log_decoder *decoder, const struct log_line *line, log_event_fn on_event,
                void *ctx, struct log_report *report)
{
    const struct log_format_row *row = decoder->row;
    struct slice record;
    int r;

    if (row->starts(line->text)) {
        r = log_decoder_flush(decoder, on_event, ctx, report);
        if (r != 0)
            return r;
    } else if (decoder->record_bytes == 0) {
        if (line->text.len_bytes > 0)
            count_skipped(report, line->offset_bytes);
        return 0;
    }
    append(decoder, line);
    record = (struct slice){.ptr = decoder->record, .len_bytes = decoder->record_bytes};
    return row->complete(record) ? log_decoder_flush(decoder, on_event, ctx, report) : 0;
}

/* The first format that explains this line becomes the file's. */
static bool recognise(struct log_decoder *decoder, struct slice text, struct log_report *report)
{
    const struct log_format_row *row = log_format_of_line(text, &decoder->context);

    if (!row)
        return false;
    decoder->row = row;
    report->format = row->id;
    report->format_title = row->title;
    return true;
}

static int give_stream_line(struct log_decoder *decoder, const struct log_line *line, void *ctx)
{
    if (!decoder->options || !decoder->options->on_stream_line)
        return 0;
    return decoder->options->on_stream_line(ctx, line->text, line->offset_bytes);
}

/*
 * In a mixed stream: a line outside of any record may be another log's.  Inside an open one it is
 * never asked about: PHP's words in an nginx record must not pass for an access line.
 */
static bool is_stray(const struct log_decoder *decoder, struct slice text)
{
    return decoder->mixed && decoder->row->starts && decoder->record_bytes == 0 &&
           !decoder->row->starts(text);
}

static int decode(struct log_decoder *decoder, const struct log_line *line, log_event_fn on_event,
                  void *ctx, struct log_report *report, bool *ret_explained)
{
    int r = 0;

    *ret_explained = true;
    if (decoder->row->id == LOG_FORMAT_EVENTS)
        return give_stream_line(decoder, line, ctx);
    if (is_stray(decoder, line->text)) {
        *ret_explained = false;
        return 0;
    }
    if (decoder->row->starts)
        return join(decoder, line, on_event, ctx, report);
    *ret_explained = give(decoder, line->text, line->offset_bytes, on_event, ctx, report, &r);
    return r;
}

/* In a mixed stream a line of another log begins that log's turn. */
static bool switches(struct log_decoder *decoder, struct slice text, struct log_report *report)
{
    const struct log_format_row *before = decoder->row;

    return decoder->mixed && recognise(decoder, text, report) && decoder->row != before;
}

int log_decoder_line(struct log_decoder *decoder, const struct log_line *line,
                     log_event_fn on_event, void *ctx, struct log_report *report)
{
    bool explained;
    int r;

    report->lines++;
    report->cut_lines += line->cut;
    report->size_bytes = line->offset_bytes + (int64_t) line->text.len_bytes;
    if (!decoder->row && !recognise(decoder, line->text, report)) {
        if (line->text.len_bytes > 0)
            count_skipped(report, line->offset_bytes);
        return 0;
    }
    r = decode(decoder, line, on_event, ctx, report, &explained);
    if (explained || line->text.len_bytes == 0)
        return r;
    if (switches(decoder, line->text, report))
        return decode(decoder, line, on_event, ctx, report, &explained);
    count_skipped(report, line->offset_bytes);
    return 0;
}
