/*
 * table.h - rows for people on a terminal, TAB-separated lines for a pipe.
 *
 * On a terminal the table has headings and fits the width: names are shortened, and when that is
 * not enough spare columns are left out, which a line under the table says.  In a pipe each row is
 * one line, cells separated by TAB, without headings, for sort, uniq and awk.  Cells are hostile:
 * they pass through human_text() in both cases, and a TAB inside a cell becomes \x09.
 */
#ifndef FPMSCOPE_REPORT_TABLE_H
#define FPMSCOPE_REPORT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/slice.h"

enum table_column_flag {
    TABLE_RIGHT = 1 << 0, /* numbers */
    TABLE_TRUNC = 1 << 1, /* may lose its end when the terminal is narrow */
    TABLE_WRAP = 1 << 2,  /* may be wrapped when the terminal is narrow */
    TABLE_ELIDE = 1 << 3, /* may lose its middle when the terminal is narrow */
};

/* May be left out: when all of its cells are empty, or when the terminal is narrow; the highest
 * rank goes first, 1 is the last. */
#define TABLE_SPARE(rank)       ((unsigned) (rank) << 8)
#define TABLE_SPARE_RANK(flags) ((flags) >> 8)

struct table_column {
    const char *heading;
    unsigned flags; /* enum table_column_flag bits | TABLE_SPARE() */
};

struct table;

/* NULL when memory ran out.  The columns are borrowed until table_free(). */
struct table *table_new(const struct table_column *columns, size_t count);

/* Append a row of as many cells as there are columns; the texts are copied.  0 or -ENOMEM. */
int table_add(struct table *table, const struct slice *cells);

size_t table_rows(const struct table *table);

/* `for_people`: headings and layout; else TAB-separated.  0 or -errno. */
int table_print(const struct table *table, FILE *out, bool for_people);

/* True when `out` is a terminal. */
bool table_for_people(FILE *out);

void table_free(struct table *table);

#endif
