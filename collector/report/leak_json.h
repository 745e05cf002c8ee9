/* leak_json.h - a leak report as the verdict object of `fpmscope analyze --json`. */
#ifndef FPMSCOPE_REPORT_LEAK_JSON_H
#define FPMSCOPE_REPORT_LEAK_JSON_H

#include <jansson.h>

#include "analyze/leak/leak.h"
#include "model/event_read.h"

/* A new object: trace, routes, stacks, coverage; NULL when memory is short. */
json_t *leak_json(struct slice trace, const struct leak_report *report,
                  const struct event_read_stats *stats);

#endif
