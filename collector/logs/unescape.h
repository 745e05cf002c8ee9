/*
 * unescape.h - undo what nginx does to a value: escape=default (\xNN) and escape=json (\" \\ \n
 * \u00NN).  One function for both, since each is harmless for the other.
 */
#ifndef FPMSCOPE_LOGS_UNESCAPE_H
#define FPMSCOPE_LOGS_UNESCAPE_H

#include <stddef.h>

#include "base/slice.h"
#include "logs/log_context.h"

/*
 * `text` without escapes: `text` itself when it has none, else a copy in `scratch` (valid until the
 * scratch is reset).  Unknown and cut escapes stay as they are.  Never longer than `text`; `text`
 * itself when the scratch is full.
 */
struct slice log_unescape(struct log_scratch *scratch, struct slice text);

/* Room for `size_bytes` in the scratch, or NULL when it is full. */
char *log_scratch_take(struct log_scratch *scratch, size_t size_bytes);

#endif
