/*
 * gateway_json.h - `fpmscope 502 --json`, and the part of `summary --json` that counts 5xx.  Keys
 * may be added, never renamed.  Functions return new references, NULL without memory.
 */
#ifndef FPMSCOPE_REPORT_GATEWAY_JSON_H
#define FPMSCOPE_REPORT_GATEWAY_JSON_H

#include <jansson.h>

#include "analyze/gateway/gateway.h"

/* {"rows":[...],"deaths_without_5xx":[...],"count_by_verdict":{...},"clocks":[...],"notes":[...]};
 * counts are of the selected rows. */
/* One row as one line on stdout, for a live stream. */
void gateway_json_print_row(const struct gateway_row *row, const char *const *files);

json_t *gateway_json_report(const struct gateway_report *report,
                            const struct gateway_row *const *rows, size_t count,
                            const char *const *files);

#endif
