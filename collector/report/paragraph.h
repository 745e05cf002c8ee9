/*
 * paragraph.h - prose on a terminal: broken at blanks, every further line indented as the first, so
 * that no line is wider than the terminal.
 */
#ifndef FPMSCOPE_REPORT_PARAGRAPH_H
#define FPMSCOPE_REPORT_PARAGRAPH_H

#include <stddef.h>
#include <stdio.h>

#include "base/slice.h"

enum { PARAGRAPH_COLUMNS_MAX = 110 /* longer lines are hard to read */ };

/* How wide a paragraph may be on `out`: the terminal's width up to PARAGRAPH_COLUMNS_MAX. */
size_t paragraph_columns(FILE *out);

/*
 * `lead` ("  why   "), then the hostile `text` made safe (human_text), and a newline.  Words wider
 * than the line are cut into pieces.  Columns are counted in characters, those of East Asia as two.
 */
void paragraph_print(FILE *out, const char *lead, struct slice text, size_t columns);

#endif
