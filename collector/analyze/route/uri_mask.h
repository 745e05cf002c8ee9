/*
 * uri_mask.h - a request URI as the store and every live view may show it: names of parameters
 * stay, values become `*`.
 *
 *   /search/?q=blue+shirt&p=2      ->  /search/?q=*&p=*
 *   /reset/?aHR0cHM6Ly9leGFtcGxl   ->  /reset/?*          (a value that stands where a name should)
 *   /a;jsessionid=9F3C/b           ->  /a;jsessionid=* and then /b
 *   /a#token=1                     ->  /a#*
 *   /admin-ajax.php?action=beat    ->  the same: a page's name (uri_dispatch.h)
 *
 * The user and password of an absolute URI become one `*`.
 *
 * PHP's rules decide what a name is: `&` separates, the first `=` ends the name, and everything
 * else (`;`, a second `?`, `#`) belongs to the name or the value.  Where a reading is doubtful
 * the one that hides more wins: a "name" that is long, looks like a token, or has odd bytes is
 * hidden too.  Control bytes and bytes that are not UTF-8 come out as %XX, in both modes.
 */
#ifndef FPMSCOPE_ANALYZE_ROUTE_URI_MASK_H
#define FPMSCOPE_ANALYZE_ROUTE_URI_MASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum uri_values {
    URI_HIDE_VALUES,
    URI_SHOW_VALUES, /* --show-query: only made printable */
};

/*
 * Write the shown form of `uri` into `buffer` (`size_bytes` >= 1, NUL-terminated) and return its
 * length.  What does not fit is left out; `ret_cut`, when not NULL, says whether that happened.
 * Pure; any bytes are accepted.
 */
size_t uri_mask(struct slice uri, enum uri_values values, char *buffer, size_t size_bytes,
                bool *ret_cut);

#endif
