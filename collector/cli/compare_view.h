/*
 * compare_view.h - `--compare NAME` and `--compare FROM..TO`: the store read twice.
 *
 * With the name of a mark: the period of the command up to the newest such mark, and from it on.
 * With FROM..TO: that period, and the command's own (--since, --until); without these, all after
 * TO.
 */
#ifndef FPMSCOPE_CLI_COMPARE_VIEW_H
#define FPMSCOPE_CLI_COMPARE_VIEW_H

#include "cli/summary_view.h"
#include "report/compare_text.h"

enum { COMPARE_ROWS_MAX = 1024 };

struct compare_view {
    struct summary_view before, after;
    struct compare_row rows[COMPARE_ROWS_MAX];
    struct comparison comparison;
};

/* The comparison that `request` asks for, or NULL in *ret_view when it asks for none.  0 or a
 * cli_exit; the reason was printed. */
int compare_view_new(const struct summary_request *request, struct compare_view **ret_view);
void compare_view_free(struct compare_view *view); /* NULL is allowed */

#endif
