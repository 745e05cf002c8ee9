/* text_sink.h - write a sentence into a caller's buffer with stdio; what does not fit is cut. */
#ifndef FPMSCOPE_REPORT_TEXT_SINK_H
#define FPMSCOPE_REPORT_TEXT_SINK_H

#include <stddef.h>
#include <stdio.h>

#include "base/slice.h"

/* NULL without memory; the buffer then holds the empty string. */
FILE *text_sink_open(char *buf, size_t cap);

/* Close (NULL is allowed) and return `buf`, NUL-terminated. */
const char *text_sink_close(FILE *sink, char *buf, size_t cap);

/* `before`, the hostile text made safe, `after`; nothing at all when the text is empty. */
void text_sink_say(FILE *sink, const char *before, struct slice text, const char *after);

#endif
