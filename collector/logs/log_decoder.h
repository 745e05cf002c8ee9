/*
 * log_decoder.h - lines in, events out: recognises the format by the first line that can be parsed,
 * joins lines that belong together, counts what it cannot explain.  Used by log_source (a whole
 * file) and log_follow (a growing one).
 */
#ifndef FPMSCOPE_LOGS_LOG_DECODER_H
#define FPMSCOPE_LOGS_LOG_DECODER_H

#include <stdbool.h>

#include "logs/log_source.h"

struct log_decoder;

/*
 * `options` may be NULL; what it points to must outlive the decoder.  `reference_us`: the present,
 * or the file's last change.  `mixed`: the lines may come from several logs (standard input): a
 * line that the format does not explain is tried with all the others.  -EINVAL: the access_format
 * is not usable (a message is in the report).
 */
int log_decoder_new(const struct log_options *options, int file, int64_t reference_us, bool mixed,
                    struct log_decoder **ret_decoder, struct log_report *report);

void log_decoder_free(struct log_decoder *decoder);

/*
 * One line; calls `on_event` for each record that it completes.  Returns 0 or what the callback
 * returned.  The counts go to `report`.
 */
int log_decoder_line(struct log_decoder *decoder, const struct log_line *line,
                     log_event_fn on_event, void *ctx, struct log_report *report);

/* Give the record that is still waiting for more lines: at the end, or when nothing comes. */
int log_decoder_flush(struct log_decoder *decoder, log_event_fn on_event, void *ctx,
                      struct log_report *report);

/* Offset of the first line of a record that is still waiting, or -1. */
int64_t log_decoder_pending_offset(const struct log_decoder *decoder);

/* A report about nothing. */
void log_report_init(struct log_report *report);

/* "php-fpm log", "not recognised" */
const char *log_format_title(enum log_format_id format);

#endif
