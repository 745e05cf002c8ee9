/* json_text.h - hostile texts as JSON strings. */
#ifndef FPMSCOPE_REPORT_JSON_TEXT_H
#define FPMSCOPE_REPORT_JSON_TEXT_H

#include <jansson.h>

#include "analyze/summary/summary.h"
#include "base/slice.h"

/*
 * A new JSON string.  Bytes that are not UTF-8 and control characters become \xNN as on a terminal
 * (human_text), so that a broken URI neither loses the document nor passes as another URI.
 */
json_t *json_text(struct slice text);

/* A new array of strings. */
json_t *json_frames(const struct summary_frames *frames);

/* Print `root` on stdout with a line end, release it; 0 or -errno. */
int json_print(json_t *root);

#endif
