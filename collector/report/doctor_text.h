/* doctor_text.h - what `fpmscope doctor` found, for people, pipes and machines. */
#ifndef FPMSCOPE_REPORT_DOCTOR_TEXT_H
#define FPMSCOPE_REPORT_DOCTOR_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "analyze/doctor/doctor.h"

/*
 * Worst first.  What is ok is one line at the end, unless `all`.  Not `for_people`: one
 * TAB-separated line a check (state, id, title, evidence, fix), always all of them.
 */
void doctor_text_print(FILE *out, const struct doctor_report *report, bool all, bool for_people);

/* {"checks":[{"id","state","title","evidence":[..],"fix"}],"summary":{"ok":N,...}}; new. */
json_t *doctor_json(const struct doctor_report *report, const struct doctor_host *host);

#endif
