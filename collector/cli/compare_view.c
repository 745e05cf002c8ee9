/* compare_view.c - which two periods, read both, compare. */
#include "cli/compare_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"

struct mark_search {
    struct slice name;
    int64_t found_us;
};

static int on_mark(void *ctx, const struct event *event)
{
    struct mark_search *search = ctx;

    if (slice_equal(event->name, search->name))
        search->found_us = event->ts_us; /* in the order of time: the newest stays */
    return 0;
}

/* The time of the newest mark of this name, 0: there is none.  A cli_exit when nothing is read. */
static int find_mark(const struct summary_request *request, int64_t *ret_us)
{
    struct mark_search search = {.name = slice_of(request->compare)};
    const struct store_query query = {.from_us = request->period.from_us,
                                      .to_us = request->period.to_us,
                                      .kinds = STORE_KIND(mark)};
    struct store *store = NULL;
    int r = summary_request_open_store(request, &store);

    if (r == 0 && store_each_event(store, &query, on_mark, &search) < 0)
        r = CLI_NO_DATA;
    store_free(store);
    *ret_us = search.found_us;
    return r;
}

/* What is compared with FROM..TO: the command's own period, or all that came after. */
static int choose_after(const struct period *before, struct period *after)
{
    if (after->from_us != 0 || after->to_us != 0)
        return 0;
    if (before->to_us == 0) {
        fputs("fpmscope: --compare FROM.. has no end: say with --since what to compare it with\n",
              stderr);
        return CLI_USAGE;
    }
    after->from_us = before->to_us + 1;
    return 0;
}

/* Both periods, and the mark between them if there is one. */
static int choose_periods(const struct summary_request *request, struct comparison *comparison,
                          struct period *ret_before, struct period *ret_after)
{
    int r = find_mark(request, &comparison->at_us);

    *ret_before = *ret_after = request->period;
    if (r != 0)
        return r;
    if (comparison->at_us != 0) {
        comparison->mark = request->compare;
        ret_before->to_us = comparison->at_us - 1;
        ret_after->from_us = comparison->at_us;
        return 0;
    }
    if (period_parse_range(request->compare, (int64_t) time(NULL) * 1000000, ret_before) == 0)
        return choose_after(ret_before, ret_after);
    fprintf(stderr,
            "fpmscope: no mark '%s' in this period, and it is no period FROM..TO; set a mark with: "
            "fpmscope mark %s\n",
            request->compare, request->compare);
    return CLI_NO_DATA;
}

static int open_side(const struct summary_request *request, const struct period *period,
                     struct summary_view *ret_view)
{
    struct summary_request side = *request;

    side.period = *period;
    return summary_view_open(&side, ret_view);
}

static int compare(const struct summary_request *request, struct compare_view *view)
{
    struct comparison *comparison = &view->comparison;
    struct period before, after;
    int r = choose_periods(request, comparison, &before, &after);

    if (r == 0)
        r = open_side(request, &before, &view->before);
    if (r == 0)
        r = open_side(request, &after, &view->after);
    if (r != 0)
        return r;
    comparison->before = view->before.result;
    comparison->after = view->after.result;
    comparison->gateway_before = view->before.report;
    comparison->gateway_after = view->after.report;
    comparison->rows = view->rows;
    comparison->row_count =
        summary_compare(comparison->before, comparison->after, view->rows, COMPARE_ROWS_MAX);
    return 0;
}

int compare_view_new(const struct summary_request *request, struct compare_view **ret_view)
{
    struct compare_view *view;
    int r;

    *ret_view = NULL;
    if (!request->compare)
        return 0;
    view = calloc(1, sizeof *view);
    if (!view)
        return CLI_NO_DATA;
    r = compare(request, view);
    if (r != 0) {
        compare_view_free(view);
        return r;
    }
    *ret_view = view;
    return 0;
}

void compare_view_free(struct compare_view *view)
{
    if (!view)
        return;
    summary_view_release(&view->before);
    summary_view_release(&view->after);
    free(view);
}
