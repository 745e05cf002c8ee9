/*
 * gateway_left_out.h - what `fpmscope 502` found and does not list without --all: a 500 of the
 * application, a 499, a 200 whose worker was killed.  They are counted by kind, so that a page that
 * says "0 failed requests" does not hide them.
 */
#ifndef FPMSCOPE_REPORT_GATEWAY_LEFT_OUT_H
#define FPMSCOPE_REPORT_GATEWAY_LEFT_OUT_H

#include <stdbool.h>
#include <stdio.h>

#include "analyze/gateway/gateway.h"

/* Rows that were asked for: `listed` ones, behind them those that only --all lists. */
struct gateway_selection {
    const struct gateway_row *const *rows;
    size_t listed, left_out;
};

/* Is the row listed without --all: did the gateway fail, as opposed to the application? */
bool gateway_row_is_listed(const struct gateway_row *row);

/* One line: how many, of which kinds, and how to see them; nothing for none. */
void gateway_left_out_say(const struct gateway_selection *selection, FILE *out);

#endif
