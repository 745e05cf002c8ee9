/* cmd_summary.c - `fpmscope summary`: the verdicts, worst first. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/compare_view.h"
#include "cli/coverage_view.h"
#include "cli/summary_view.h"
#include "report/gateway_counts.h"
#include "report/json_text.h"
#include "report/summary_json.h"
#include "report/summary_text.h"
#include "report/table.h"

static const char doc[] =
    "Which routes leak or are heavy, which workers died, why requests failed: the verdicts, worst "
    "first, each with module, evidence and what to do.";

static int print_json(const struct summary_view *view, const struct coverage_view *coverage,
                      const struct compare_view *compare)
{
    json_t *root = json_object();

    json_object_set_new(root, "period", summary_json_period(view->result));
    json_object_set_new(root, "routes", summary_json_routes(view->result));
    json_object_set_new(root, "modules", summary_json_modules(view->result));
    json_object_set_new(root, "crashes", summary_json_crashes(view->result));
    json_object_set_new(root, "workers", summary_json_workers(view->result));
    json_object_set_new(root, "memory", summary_json_memory(view->result));
    json_object_set_new(root, "gateway", summary_json_gateway(view->report));
    json_object_set_new(root, "coverage", coverage_view_json(coverage));
    if (compare)
        json_object_set_new(root, "compare", compare_json(&compare->comparison));
    return json_print(root);
}

static void print(const struct summary_request *request, const struct summary_view *view,
                  const struct compare_view *compare)
{
    const struct summary_text_options options = {
        .colour = table_for_people(stdout) && !getenv("NO_COLOR"), .all = request->all};
    struct coverage_view coverage;

    coverage_view_read(&coverage, view, &request->period);
    if (request->json) {
        print_json(view, &coverage, compare);
    } else {
        summary_text_print(stdout, view->result, view->report, &options);
        if (compare)
            compare_text_print(stdout, &compare->comparison);
        coverage_view_print(stdout, &coverage);
    }
    coverage_view_release(&coverage);
}

int cmd_summary(int argc, char **argv)
{
    struct summary_request request;
    struct summary_view view;
    struct compare_view *compare = NULL;
    int r;

    summary_request_parse(argc, argv, doc, &request);
    r = summary_view_open(&request, &view);
    if (r == 0)
        r = compare_view_new(&request, &compare);
    if (r == 0) {
        print(&request, &view, compare);
        r = summary_view_verdict(&request, &view);
    }
    compare_view_free(compare);
    summary_view_release(&view);
    return r;
}
