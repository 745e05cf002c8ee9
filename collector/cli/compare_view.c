/* compare_view.c - find the mark, read both sides, compare. */
#include "cli/compare_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

static int find_mark(struct store *store, const struct summary_request *request, int64_t *ret_us)
{
    struct mark_search search = {.name = slice_of(request->compare)};
    const struct store_query query = {.from_us = request->period.from_us,
                                      .to_us = request->period.to_us,
                                      .kinds = STORE_KIND(mark)};
    int r = store_each_event(store, &query, on_mark, &search);

    if (r < 0 || search.found_us == 0) {
        fprintf(stderr, "fpmscope: no mark '%s' in this period; set one with: fpmscope mark %s\n",
                request->compare, request->compare);
        return CLI_NO_DATA;
    }
    *ret_us = search.found_us;
    return 0;
}

int compare_view_open(const struct summary_request *request, struct compare_view *ret_view)
{
    struct summary_request before = *request, after = *request;
    struct comparison *comparison = &ret_view->comparison;
    struct store *store = NULL;
    int r;

    memset(ret_view, 0, sizeof *ret_view);
    r = summary_request_open_store(request, &store);
    if (r == 0)
        r = find_mark(store, request, &comparison->at_us);
    store_free(store);
    if (r != 0)
        return r;
    before.period.to_us = comparison->at_us - 1;
    after.period.from_us = comparison->at_us;
    r = summary_view_open(&before, &ret_view->before);
    if (r == 0)
        r = summary_view_open(&after, &ret_view->after);
    if (r != 0)
        return r;
    comparison->mark = request->compare;
    comparison->before = ret_view->before.result;
    comparison->after = ret_view->after.result;
    comparison->gateway_before = ret_view->before.report;
    comparison->gateway_after = ret_view->after.report;
    comparison->rows = ret_view->rows;
    comparison->row_count =
        summary_compare(comparison->before, comparison->after, ret_view->rows, COMPARE_ROWS_MAX);
    return 0;
}

void compare_view_release(struct compare_view *view)
{
    summary_view_release(&view->before);
    summary_view_release(&view->after);
}
