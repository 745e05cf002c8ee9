/*
 * table_fit.h - how wide each column of a table may be, so that its rows fit the terminal.
 *
 * Spare columns without a single text are always left out.  Then names are shortened, the widest
 * first, as long as a reader still knows them; what is too wide even so loses spare columns.
 */
#ifndef FPMSCOPE_REPORT_TABLE_FIT_H
#define FPMSCOPE_REPORT_TABLE_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "report/table.h"

enum { TABLE_FIT_NAME_COLUMNS = 16 /* of a name that is shortened, at least */ };

struct table_fit_column {
    size_t widest;  /* of its cells and its heading, in columns of the terminal */
    size_t heading; /* the heading's own width */
    bool is_empty;  /* no cell has a text */
    /* The answer. */
    size_t width;
    bool is_left_out;
};

/* Fill in the answers; `room` is the terminal's width.  Less than the least cannot be had. */
void table_fit(const struct table_column *columns, struct table_fit_column *fit, size_t count,
               size_t room);

#endif
