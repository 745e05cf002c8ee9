/* compare_view.h - `summary --compare NAME`: the store read twice, up to a mark and from it on. */
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

/*
 * Compare within the period of `request`, at the newest mark called `request->compare`.  0 or a
 * cli_exit; the reason was printed.  Release in both cases; it must not move in between.
 */
int compare_view_open(const struct summary_request *request, struct compare_view *ret_view);
void compare_view_release(struct compare_view *view);

#endif
