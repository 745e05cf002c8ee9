/* recognise.h - the table of formats: how a record begins, when it is whole, who parses it. */
#ifndef FPMSCOPE_LOGS_RECOGNISE_H
#define FPMSCOPE_LOGS_RECOGNISE_H

#include <stdbool.h>

#include "logs/log_source.h"
#include "logs/parsers.h"

struct log_format_row {
    enum log_format_id id;
    bool (*starts)(struct slice line);
    bool (*complete)(struct slice record);
    log_parse_fn parse, also;
    bool loose;
    const char *title;
};

/* The row of `id`; NULL for LOG_FORMAT_UNKNOWN. */
const struct log_format_row *log_format_row(enum log_format_id id);

/* The first row, in the order of the table, that explains this line; NULL: none does. */
const struct log_format_row *log_format_of_line(struct slice line,
                                                const struct log_context *context);

#endif
