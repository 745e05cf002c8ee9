/* route_text.h - a route's verdict in words: heading, sentence, advice. */
#ifndef FPMSCOPE_REPORT_ROUTE_TEXT_H
#define FPMSCOPE_REPORT_ROUTE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "analyze/summary/summary.h"

enum { ROUTE_TEXT_BYTES = 2048 };

struct route_verdict {
    const char *code, *heading, *advice;
    bool notable;
    int rank; /* 0 is worst */
};

/* The table's row for a code; an unknown code is treated as "insufficient". */
const struct route_verdict *route_verdict_of(struct slice code);

/* One or two sentences with the numbers, NUL-terminated in the caller's buffer. */
const char *route_sentence(const struct summary_route *route, const struct summary_result *result,
                           char *buf, size_t cap);

/* What to do about it, with computed values. */
const char *route_advice(const struct summary_route *route, const struct summary_result *result,
                         char *buf, size_t cap);

#endif
