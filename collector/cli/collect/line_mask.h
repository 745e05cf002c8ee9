/*
 * line_mask.h - a log line as the store may keep it: query strings masked wherever they stand in
 * it, PHP's stack traces, which show arguments, cut out.  It still parses as the line it was.
 */
#ifndef FPMSCOPE_CLI_COLLECT_LINE_MASK_H
#define FPMSCOPE_CLI_COLLECT_LINE_MASK_H

#include "analyze/route/uri_mask.h"
#include "base/slice.h"

/*
 * Write the shown form of `line` into `buffer` (`size_bytes` >= 1); what does not fit is cut.
 * Returns what was written.
 */
struct slice line_mask(struct slice line, enum uri_values values, char *buffer, size_t size_bytes);

#endif
