/* compare_text.h - what changed between two periods: for people, and as JSON. */
#ifndef FPMSCOPE_REPORT_COMPARE_TEXT_H
#define FPMSCOPE_REPORT_COMPARE_TEXT_H

#include <stdio.h>

#include <jansson.h>

#include "analyze/gateway/gateway.h"
#include "analyze/summary/summary_compare.h"

/* A comparison, borrowed. */
struct comparison {
    const char *mark; /* between the two; NULL: these are two free periods */
    int64_t at_us;    /* of the mark */
    const struct summary_result *before, *after;
    const struct gateway_report *gateway_before, *gateway_after;
    const struct compare_row *rows;
    size_t row_count;
};

void compare_text_print(FILE *out, const struct comparison *comparison);

/* The value of the key "compare"; the caller owns it. */
json_t *compare_json(const struct comparison *comparison);

#endif
