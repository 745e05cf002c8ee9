/*
 * fuzz_leak.c - any lines as an event stream through the leak analysis: no crash, no undefined
 * arithmetic, and verdicts that can be asked for at any time.
 *
 * Tiny ceilings, so that eviction happens within a few lines; the whole input is fed several times,
 * so that a few requests become old workers.
 */
#include <stdint.h>
#include <stdlib.h>

#include "analyze/leak/leak.h"
#include "model/event_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROUNDS = 8 };

static void feed(struct leak_analyzer *analyzer, struct event_parser *parser, struct slice text)
{
    while (text.len_bytes > 0) {
        const ptrdiff_t newline = slice_index(text, '\n');
        const size_t length = newline < 0 ? text.len_bytes : (size_t) newline;
        struct event event;

        if (event_parse(parser, slice_head(text, length), &event) == 0)
            leak_feed(analyzer, &event);
        text = slice_skip(text, length + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct leak_options options = {
        .max_routes = 4, .max_workers = 3, .max_blocks = 8, .max_pairs = 4};
    struct leak_analyzer *analyzer = leak_analyzer_new(&options);
    struct event_parser *parser = event_parser_new();

    for (int round = 0; analyzer && parser && round < ROUNDS; round++) {
        feed(analyzer, parser, (struct slice){.ptr = (const char *) data, .len_bytes = size});
        leak_report_free(leak_verdicts(analyzer));
    }
    event_parser_free(parser);
    leak_analyzer_free(analyzer);
    return 0;
}
