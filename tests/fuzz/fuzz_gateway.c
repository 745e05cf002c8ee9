/*
 * fuzz_gateway.c - hostile events and log lines of all kinds through both passes of the engine.  A
 * line that begins with '{"e":' is an event, all others go to a decoder that takes any format; a
 * byte 0x1e changes to the next of four files.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "analyze/gateway/gateway.h"
#include "logs/line_reader.h"
#include "logs/log_decoder.h"
#include "model/event_parse.h"

enum { FILES = 4 };

struct fuzz {
    struct gateway *gateway;
    struct event_parser *parser;
    struct log_decoder *decoders[FILES];
    struct log_report report;
};

static int on_log(void *ctx, const struct log_event *event)
{
    gateway_add_log(((struct fuzz *) ctx)->gateway, event);
    return 0;
}

static void feed_line(struct fuzz *fuzz, struct slice text, int file, int64_t offset_bytes)
{
    const struct log_line line = {text, offset_bytes, false};
    struct event event;

    if (slice_starts(text, SLICE("{\"e\":"))) {
        if (event_parse(fuzz->parser, text, &event) == 0)
            gateway_add_event(fuzz->gateway, &event);
        return;
    }
    log_decoder_line(fuzz->decoders[file], &line, on_log, fuzz, &fuzz->report);
}

static void feed(struct fuzz *fuzz, struct slice data)
{
    int64_t offset_bytes = 0;
    int file = 0;

    for (int i = 0; i < FILES; i++)
        log_decoder_new(NULL, i, INT64_C(1795326000000000), true, &fuzz->decoders[i],
                        &fuzz->report);
    while (data.len_bytes > 0) {
        ptrdiff_t end = slice_index(data, '\n');
        struct slice line = slice_head(data, end < 0 ? data.len_bytes : (size_t) end);

        data = slice_skip(data, line.len_bytes + 1);
        if (line.len_bytes > 0 && line.ptr[0] == 0x1e)
            file = (file + 1) % FILES;
        else
            feed_line(fuzz, line, file, offset_bytes);
        offset_bytes += (int64_t) line.len_bytes + 1;
    }
    for (int i = 0; i < FILES; i++) {
        log_decoder_flush(fuzz->decoders[i], on_log, fuzz, &fuzz->report);
        log_decoder_free(fuzz->decoders[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gateway_options options = {.max_rows = 64, .max_text_bytes = 1 << 16};
    const struct slice text = {(const char *) data, size};
    struct fuzz fuzz = {.gateway = gateway_new(&options), .parser = event_parser_new()};

    log_report_init(&fuzz.report);
    if (fuzz.gateway && fuzz.parser) {
        gateway_pass(fuzz.gateway, GATEWAY_SCAN);
        feed(&fuzz, text);
        gateway_pass(fuzz.gateway, GATEWAY_GATHER);
        feed(&fuzz, text);
        const struct gateway_report *report = gateway_finish(fuzz.gateway);

        for (size_t i = 0; report && i < report->row_count; i++)
            if (report->rows[i].pid_count > GATEWAY_PIDS_MAX || !report->rows[i].sentence.ptr)
                __builtin_trap();
    }
    event_parser_free(fuzz.parser);
    gateway_free(fuzz.gateway);
    return 0;
}
