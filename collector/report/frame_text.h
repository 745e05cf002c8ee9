/* frame_text.h - a stack frame on a line of a terminal. */
#ifndef FPMSCOPE_REPORT_FRAME_TEXT_H
#define FPMSCOPE_REPORT_FRAME_TEXT_H

#include <stddef.h>

enum { FRAME_TEXT_BYTES = 512 };

/*
 * `text` ("Acme\Feed\Model\Writer::open (Writer.php:41)", "symbol (library)") in at most `columns`
 * columns, 3 or more.  A name that is too long loses the middle of its namespace and keeps the
 * class, the method and the place; the place is shortened only when it leaves the name no room.
 */
const char *frame_text_fit(const char *text, size_t columns, char buf[FRAME_TEXT_BYTES]);

#endif
