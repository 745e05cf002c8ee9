/* gateway_counts.h - the gateway's and the coverage's part of `summary --json`. */
#ifndef FPMSCOPE_REPORT_GATEWAY_COUNTS_H
#define FPMSCOPE_REPORT_GATEWAY_COUNTS_H

#include <jansson.h>

#include "analyze/gateway/gateway.h"

/* {"count_by_verdict":{},"requests_5xx":0,"deaths_without_5xx":0} */
json_t *summary_json_gateway(const struct gateway_report *report);

#endif
