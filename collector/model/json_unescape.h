/*
 * json_unescape.h - what a JSON string means: its escapes back to UTF-8.
 */
#ifndef FPMSCOPE_MODEL_JSON_UNESCAPE_H
#define FPMSCOPE_MODEL_JSON_UNESCAPE_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * `raw` is what stands between the quotes, with a byte behind every backslash; `room` is as long,
 * which is enough: an escape is longer than what it means.  False: there is no such escape.
 */
bool json_unescape(struct slice raw, char *room, struct slice *ret_text);

/* 0 to 15, or -1. */
int json_hex_digit(char c);

#endif
