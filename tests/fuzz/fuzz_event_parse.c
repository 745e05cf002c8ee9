/* fuzz_event_parse.c - any bytes as a line: no crash, and what is accepted reads back the same. */
#include <stdint.h>
#include <stdlib.h>

#include "model/event_parse.h"
#include "model/event_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Write, read and write again: the second line must be the first. */
static void check_round_trip(const struct event *event)
{
    static char first[8 * EVENT_LINE_MAX_BYTES], second[8 * EVENT_LINE_MAX_BYTES];
    struct event_parser *parser = event_parser_new();
    struct event again;
    size_t first_len, second_len;

    if (!parser || event_format(event, sizeof first, first, &first_len) != 0)
        abort();
    if (first_len <= EVENT_LINE_MAX_BYTES) {
        if (event_parse(parser, (struct slice){.ptr = first, .len_bytes = first_len}, &again) != 0)
            abort();
        if (event_format(&again, sizeof second, second, &second_len) != 0)
            abort();
        if (first_len != second_len || memcmp(first, second, first_len) != 0)
            abort();
    }
    event_parser_free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice line = {.ptr = (const char *) data, .len_bytes = size};
    struct event_parser *parser = event_parser_new();
    struct event event;

    if (parser && event_parse(parser, line, &event) == 0)
        check_round_trip(&event);
    event_parser_free(parser);
    return 0;
}
