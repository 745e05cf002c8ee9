/*
 * summary_compare.h - two periods side by side: what changed on each route.
 *
 * Both results are summaries of their own (summary.h), usually before and after a mark.  A change
 * is only claimed when both sides were judged: a route without enough requests afterwards has not
 * stopped leaking.  Pure; the rows borrow the texts of the two results.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_SUMMARY_COMPARE_H
#define FPMSCOPE_ANALYZE_SUMMARY_SUMMARY_COMPARE_H

#include <stddef.h>

#include "analyze/summary/summary.h"

enum compare_change {
#define COMPARE_CHANGE(name, sentence) COMPARE_##name,
#include "analyze/summary/compare_changes.def"
    COMPARE_CHANGE_COUNT
};

/* "new_leak", and what it means, a clause. */
const char *compare_change_name(enum compare_change change);
const char *compare_change_sentence(enum compare_change change);

struct compare_row {
    enum compare_change change;
    struct slice route, module; /* module: of the side that has the fault; may be empty */
    const struct summary_route *before, *after; /* NULL: not seen in that period */
    uint64_t crashes_before, crashes_after;
};

/*
 * The changes, worst kind first, into `ret_rows`, at most `cap`; how many were written.
 */
size_t summary_compare(const struct summary_result *before, const struct summary_result *after,
                       struct compare_row *ret_rows, size_t cap);

#endif
