/*
 * columns.h - how wide a terminal is, and how many of its columns a text takes.
 *
 * Characters of East Asia take two columns.  Which exactly do is not asked: everything that UTF-8
 * writes in three bytes or more counts as two, so that a line may be narrower than it could be, but
 * never wider.
 */
#ifndef FPMSCOPE_REPORT_COLUMNS_H
#define FPMSCOPE_REPORT_COLUMNS_H

#include <stddef.h>
#include <stdio.h>

/* COLUMNS from the environment, else the terminal's width, else `unknown`; at least 40. */
size_t columns_of_terminal(FILE *out, size_t unknown);

/* How many bytes of a printable text fit into `room` columns, and how many columns they take at
 * most; no character is cut. */
size_t columns_fit(const char *text, size_t len_bytes, size_t room, size_t *ret_columns);

/* Columns of a printable text, at most. */
size_t columns_of_text(const char *text);

/*
 * `text` in at most `columns` columns (3 or more): when it is wider, its middle becomes "...", for
 * names are known by their beginning and their end.  NUL-terminated in the caller's buffer.
 */
const char *columns_elide(const char *text, size_t columns, char *buf, size_t cap);

/* The same, but its end is what goes. */
const char *columns_cut(const char *text, size_t columns, char *buf, size_t cap);

/* All of `text` in lines of at most `columns` columns, broken at blanks where there are any. */
const char *columns_wrap(const char *text, size_t columns, char *buf, size_t cap);

#endif
