/* recognise.c - whose line is this?  Every format is asked in turn, the strictest first. */
#include "logs/recognise.h"

#include "logs/log_decoder.h"
#include "logs/records.h"

static const struct log_format_row rows[] = {
#define LOG_FORMAT(name, starts_fn, complete_fn, parse_fn, also_fn, is_loose, text)                \
    {.id = LOG_FORMAT_##name,                                                                      \
     .starts = starts_fn,                                                                          \
     .complete = complete_fn,                                                                      \
     .parse = parse_fn,                                                                            \
     .also = also_fn,                                                                              \
     .loose = is_loose,                                                                            \
     .title = text},
#include "logs/log_formats.def"
#undef LOG_FORMAT
};

enum { ROWS_COUNT = sizeof rows / sizeof rows[0] };

/* Our own stream: flat objects whose first key is "e". */
static bool is_event_stream(struct slice line)
{
    return slice_starts(line, SLICE("{\"e\":\"")) || slice_starts(line, SLICE("{\"e\": \""));
}

static bool explains(const struct log_format_row *row, struct slice line,
                     const struct log_context *context)
{
    struct log_event event;

    if (row->id == LOG_FORMAT_EVENTS)
        return is_event_stream(line);
    if (row->id == LOG_FORMAT_ACCESS_CUSTOM && !context->format)
        return false;
    if (row->starts && !row->starts(line))
        return false;
    return row->parse(line, context, &event);
}

const struct log_format_row *log_format_of_line(struct slice line,
                                                const struct log_context *context)
{
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        context->scratch->used_bytes = 0;
        if (explains(&rows[i], line, context))
            return &rows[i];
    }
    return NULL;
}

const struct log_format_row *log_format_row(enum log_format_id id)
{
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        if (rows[i].id == id)
            return &rows[i];
    }
    return NULL;
}

const char *log_format_title(enum log_format_id format)
{
    const struct log_format_row *row = log_format_row(format);

    return row ? row->title : "not recognised";
}
