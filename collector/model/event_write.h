/*
 * event_write.h - one struct event -> one line of the event stream.
 *
 * The inverse of event_parse(): keys in the order of events.def, only those that are known
 * (`has`).  Text that is not UTF-8 is repaired: each byte that starts no valid sequence becomes
 * U+FFFD, so that no reader of ours or of others rejects the line.
 */
#ifndef FPMSCOPE_MODEL_EVENT_WRITE_H
#define FPMSCOPE_MODEL_EVENT_WRITE_H

#include <stdio.h>

#include "model/event.h"

/*
 * Write the line with its newline, without a NUL, into `line`.  0; -EMSGSIZE when it does not fit
 * (a buffer of EVENT_LINE_MAX_BYTES holds whatever our reader accepts); -EINVAL for an unknown
 * kind.
 */
int event_format(const struct event *event, size_t capacity_bytes, char *line,
                 size_t *ret_len_bytes);

/* The same into a stdio stream.  0, -EMSGSIZE, -EINVAL, or -EIO. */
int event_write(const struct event *event, FILE *out);

#endif
