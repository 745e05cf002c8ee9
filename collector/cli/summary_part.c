/* summary_part.c - a command that prints one part of the summary: a table, or its JSON. */
#include "cli/summary_part.h"

#include "cli/cli.h"
#include "cli/compare_view.h"
#include "cli/summary_view.h"
#include "report/json_text.h"
#include "report/summary_json.h"
#include "report/table.h"

static void print_json(const struct summary_part *part, const struct summary_result *result,
                       const struct compare_view *compare)
{
    json_t *root = json_object();

    json_object_set_new(root, "period", summary_json_period(result));
    json_object_set_new(root, part->name, part->json(result));
    if (part->more_json)
        json_object_set_new(root, part->more_name, part->more_json(result));
    if (compare)
        json_object_set_new(root, "compare", compare_json(&compare->comparison));
    json_print(root);
}

static void print_text(const struct summary_part *part, const struct summary_result *result,
                       const struct compare_view *compare)
{
    const bool for_people = table_for_people(stdout);

    if (for_people && part->chapters)
        part->chapters(stdout, result);
    part->table(stdout, result, for_people);
    if (compare)
        compare_text_print(stdout, &compare->comparison);
}

int summary_part_run(const struct summary_part *part, int argc, char **argv)
{
    struct compare_view *compare = NULL;
    struct summary_request request;
    struct summary_view view;
    int r;

    summary_request_parse(argc, argv, part->doc, &request);
    if (request.compare && !part->compares) {
        fprintf(stderr,
                "fpmscope %s: --compare is for summary, routes and modules: what changed is a "
                "list of routes\n",
                part->name);
        return CLI_USAGE;
    }
    r = summary_view_open(&request, &view);
    if (r == 0)
        r = compare_view_new(&request, &compare);
    if (r == 0) {
        (request.json ? print_json : print_text)(part, view.result, compare);
        r = summary_view_verdict(&request, &view);
    }
    compare_view_free(compare);
    summary_view_release(&view);
    return r;
}
