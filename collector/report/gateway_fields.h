/* gateway_fields.h - a row of `fpmscope 502` as named texts; the list is gateway_fields.def. */
#ifndef FPMSCOPE_REPORT_GATEWAY_FIELDS_H
#define FPMSCOPE_REPORT_GATEWAY_FIELDS_H

#include <stdbool.h>

#include "analyze/gateway/gateway.h"

enum { GATEWAY_FIELD_BYTES = 8192 };

struct gateway_field {
    const char *name, *alias, *doc;
    /* Writes the value into `buf` (GATEWAY_FIELD_BYTES) or returns a text of the row. */
    struct slice (*get)(const struct gateway_row *row, const char *const *files, char *buf);
};
extern const struct gateway_field gateway_fields[]; /* ends with name NULL */

/* By name or alias; NULL when there is none. */
const struct gateway_field *gateway_field_find(struct slice name);

/* A bot, by what it calls itself (pnl's rule): http, bot, crawl, spider or search. */
bool gateway_row_is_bot(const struct gateway_row *row);

/* Did some hop of it talk to PHP-FPM? */
bool gateway_row_is_php(const struct gateway_row *row);

#endif
