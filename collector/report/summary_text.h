/* summary_text.h - the summary as a person reads it at three in the morning: worst first. */
#ifndef FPMSCOPE_REPORT_SUMMARY_TEXT_H
#define FPMSCOPE_REPORT_SUMMARY_TEXT_H

#include <stdio.h>

#include "analyze/gateway/gateway.h"
#include "analyze/summary/summary.h"

struct summary_text_options {
    bool colour;
    bool all; /* healthy routes too */
};

/* Print everything; sections without content say so in a line or are left out. */
void summary_text_print(FILE *out, const struct summary_result *result,
                        const struct gateway_report *gateway,
                        const struct summary_text_options *options);

/* Tables of one part; `for_people` as in table.h.  0 or -errno. */
int summary_routes_table(FILE *out, const struct summary_result *result, bool for_people);
int summary_modules_table(FILE *out, const struct summary_result *result, bool for_people);
int summary_workers_table(FILE *out, const struct summary_result *result, bool for_people);
int summary_crashes_table(FILE *out, const struct summary_result *result, bool for_people);

#endif
