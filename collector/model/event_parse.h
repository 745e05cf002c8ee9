/*
 * event_parse.h - one line of the event stream (a flat JSON object) -> one struct event.
 *
 * The line is hostile: any bytes, any length.  What the stream's version does not know (keys,
 * kinds, a value of another type than the key's) is skipped, as the format promises; what is not
 * JSON is damaged and says so.  Numbers beyond int64_t are clamped, fractions are cut.
 */
#ifndef FPMSCOPE_MODEL_EVENT_PARSE_H
#define FPMSCOPE_MODEL_EVENT_PARSE_H

#include "model/event.h"

enum { EVENT_LINE_MAX_BYTES = 64 * 1024 };

/* Names looked up and room for unescaped text; 70 KiB, one per reader. */
struct event_parser;

/* NULL when memory is short. */
struct event_parser *event_parser_new(void);
void event_parser_free(struct event_parser *parser);

/*
 * Parse `line` (no newline needed).  Returns 0 and fills `ret_event`, whose texts point into `line`
 * and into the parser and are valid until the next call;
 *   -ENOMSG   not an event of this version: an empty line, or a kind that is not known;
 *   -EMSGSIZE longer than EVENT_LINE_MAX_BYTES;
 *   -EBADMSG  damaged: not one JSON object, or one without "e".
 */
int event_parse(struct event_parser *parser, struct slice line, struct event *ret_event);

#endif
