/* crash_groups_text.h - deaths by what they share, in words and as JSON. */
#ifndef FPMSCOPE_REPORT_CRASH_GROUPS_TEXT_H
#define FPMSCOPE_REPORT_CRASH_GROUPS_TEXT_H

#include <jansson.h>
#include <stdio.h>

#include "analyze/summary/summary.h"

/* One chapter a group, most deaths first; nothing when nobody died.  0 or -ENOMEM. */
int crash_groups_print(FILE *out, const struct summary_result *result);

/* [{"count":7,"signal":"SIGSEGV",...,"after_mark":{...}}]; empty without memory. */
json_t *crash_groups_json(const struct summary_result *result);

#endif
