/* leak_text.h - a leak verdict in two sentences for a person: what was seen, and why it is (or is
 * not) a leak. */
#ifndef FPMSCOPE_REPORT_LEAK_TEXT_H
#define FPMSCOPE_REPORT_LEAK_TEXT_H

#include "analyze/leak/leak.h"

enum { LEAK_TEXT_BYTES = 512 };

/* Both sentences, without the route's name; NUL-terminated in the caller's buffer, which is
 * returned. */
const char *leak_text(const struct leak_route *route, char buf[LEAK_TEXT_BYTES]);

#endif
