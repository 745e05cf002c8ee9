/*
 * fuzz_log_decoder.c - a whole log of any bytes: recognised, joined, parsed.  The first byte says
 * whether it is a mixed stream.  Every line is explained, skipped or part of a record: the counts
 * must not exceed the lines.
 */
#include "fuzz_logs.h"
#include "logs/log_decoder.h"

static int on_event(void *ctx, const struct log_event *event)
{
    fuzz_logs_check(ctx, event);
    fuzz_logs_read(ctx, event->line);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_logs fuzz = {0};
    struct log_decoder *decoder;
    struct log_report report;
    struct slice rest, line;

    if (size == 0)
        return 0;
    log_report_init(&report);
    fuzz_logs_init(&fuzz, data + 1, size - 1);
    if (log_decoder_new(NULL, 0, fuzz.context.reference_us, data[0] & 1, &decoder, &report) < 0)
        abort();
    rest = (struct slice){.ptr = fuzz.copy, .len_bytes = fuzz.size_bytes};
    while (rest.len_bytes > 0) {
        ptrdiff_t newline = slice_index(rest, '\n');

        line = newline < 0 ? rest : slice_head(rest, (size_t) newline);
        (void) log_decoder_line(
            decoder, &(struct log_line){.text = line, .offset_bytes = line.ptr - fuzz.copy},
            on_event, &fuzz, &report);
        rest = slice_skip(rest, line.len_bytes + 1);
    }
    (void) log_decoder_flush(decoder, on_event, &fuzz, &report);
    if (report.events + report.skipped_lines > report.lines)
        abort();
    log_decoder_free(decoder);
    fuzz_logs_release(&fuzz);
    return 0;
}
