/*
 * summary_json.h - the parts of `fpmscope summary --json`, as the contract in README says.  Keys
 * may be added, never renamed.  Each function returns a new reference, NULL without memory.
 */
#ifndef FPMSCOPE_REPORT_SUMMARY_JSON_H
#define FPMSCOPE_REPORT_SUMMARY_JSON_H

#include <jansson.h>

#include "analyze/summary/summary.h"

json_t *summary_json_period(const struct summary_result *result);
json_t *summary_json_routes(const struct summary_result *result);
json_t *summary_json_modules(const struct summary_result *result);
json_t *summary_json_crashes(const struct summary_result *result);
json_t *summary_json_workers(const struct summary_result *result);
json_t *summary_json_memory(const struct summary_result *result);

#endif
