/*
 * filter.h - `--filter field=value`, `!=`, `~`, `!~`: which rows a command shows.
 *
 * The manner is pnl's: `=` compares whole texts, `~` searches a regular expression (PCRE2, upper
 * and lower case differ), repeated filters must all hold.  A field may have several values
 * ("502, 200"): `=` and `~` hold when one of them does, `!=` and `!~` when none does.
 */
#ifndef FPMSCOPE_CLI_FILTER_H
#define FPMSCOPE_CLI_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum { FILTER_MESSAGE_BYTES = 256 };

struct filter_set;

/* NULL without memory. */
struct filter_set *filter_set_new(void);
void filter_set_free(struct filter_set *set);

/*
 * Add one filter.  `ret_field` is the field's name within `text`, for the caller to check.  0;
 * -EINVAL with a sentence in `message`; -ENOSPC above 64 filters; -ENOMEM.
 */
int filter_add(struct filter_set *set, const char *text, struct slice *ret_field,
               char message[FILTER_MESSAGE_BYTES]);

/* The value of `field` of the row behind `ctx`; several values are separated by ", ". */
typedef struct slice (*filter_value_fn)(void *ctx, struct slice field);

/* Do all filters hold for this row? */
bool filter_match(const struct filter_set *set, filter_value_fn value, void *ctx);

#endif
