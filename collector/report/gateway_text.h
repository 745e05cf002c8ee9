/* gateway_text.h - `fpmscope 502` for people: a summary, then each cause with its requests. */
#ifndef FPMSCOPE_REPORT_GATEWAY_TEXT_H
#define FPMSCOPE_REPORT_GATEWAY_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "analyze/gateway/gateway.h"
#include "report/gateway_left_out.h"

/* A few lines: how many requests, by cause, the remainders on both sides, and what is left out. */
void gateway_text_summary(const struct gateway_report *report,
                          const struct gateway_selection *selection, const char *const *files,
                          FILE *out);

/* Each cause: why, what to do, what was seen, and its requests (`all`: without a limit). */
void gateway_text_causes(const struct gateway_row *const *rows, size_t count, bool all, FILE *out);

/* Deaths that no 5xx shows. */
void gateway_text_deaths(const struct gateway_report *report, FILE *out);

/* One row of a live view: what happened, why, what to do. */
void gateway_text_row(const struct gateway_row *row, FILE *out);

#endif
