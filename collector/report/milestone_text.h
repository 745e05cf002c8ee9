/* milestone_text.h - the moment after which something began: "40 s after mark 'release-12'". */
#ifndef FPMSCOPE_REPORT_MILESTONE_TEXT_H
#define FPMSCOPE_REPORT_MILESTONE_TEXT_H

#include <stdio.h>

#include <jansson.h>

#include "analyze/summary/milestones.h"

/* How long after `milestone` `time_us` was, and after what. */
void milestone_say(FILE *out, const struct milestone *milestone, int64_t time_us);

/* A new reference; null for NULL.  A restart has no name. */
json_t *milestone_json(const struct milestone *milestone);

#endif
