/*
 * shown_rows.h - which rows of `502` a live view has shown, so that each is shown once.
 *
 * The same window of time is judged again and again while late lines arrive: a request may return
 * with more lines than before.  It is the same one when it shares an access line with a row that
 * was shown; a death without a line, when worker and time are the same.  Bounded: after many rows
 * the oldest are forgotten, long after they left the window.
 */
#ifndef FPMSCOPE_CLI_GATEWAY_SHOWN_ROWS_H
#define FPMSCOPE_CLI_GATEWAY_SHOWN_ROWS_H

#include <stdbool.h>

#include "analyze/gateway/gateway.h"

struct shown_rows;

/* NULL without memory. */
struct shown_rows *shown_rows_new(void);
void shown_rows_free(struct shown_rows *shown);

/* True when the row is new; it counts as shown from now on. */
bool shown_rows_add(struct shown_rows *shown, const struct gateway_row *row);

/*
 * Has the row waited long enough for late evidence at `now_us`?  A decided one 0.7 s after the end
 * of what its time stamp allows; an undecided one 3 s, because slower logs may decide it.
 */
bool shown_rows_is_settled(const struct gateway_row *row, int64_t now_us);

#endif
