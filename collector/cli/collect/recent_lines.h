/*
 * recent_lines.h - the last seconds of the logs in memory, until it is known whether they matter.
 *
 * Bounded in bytes: the oldest lines go first.
 */
#ifndef FPMSCOPE_CLI_COLLECT_RECENT_LINES_H
#define FPMSCOPE_CLI_COLLECT_RECENT_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct recent_lines;

int recent_lines_new(size_t limit_bytes, struct recent_lines **ret_lines);
void recent_lines_free(struct recent_lines *lines);

/* Copy a line in; one that alone is above the limit is left out. */
void recent_lines_add(struct recent_lines *lines, const struct store_log_line *line);

/* Give, and forget, the lines with times from `from_us` to `to_us`. */
typedef void (*recent_line_fn)(void *ctx, const struct store_log_line *line);
void recent_lines_take(struct recent_lines *lines, int64_t from_us, int64_t to_us,
                       recent_line_fn on_line, void *ctx);

/* Forget what is older. */
void recent_lines_expire(struct recent_lines *lines, int64_t before_us);

#endif
