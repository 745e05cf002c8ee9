/* cmd_routes.c - `fpmscope routes`: one row per route. */
#include "cli/cli.h"
#include "cli/summary_part.h"
#include "report/summary_json.h"
#include "report/summary_text.h"

int cmd_routes(int argc, char **argv)
{
    static const struct summary_part part = {
        .name = "routes",
        .doc = "One row per route, worst first: verdict, hits, what it keeps and what it holds, "
               "module and library.",
        .json = summary_json_routes,
        .table = summary_routes_table,
        .compares = true,
    };

    return summary_part_run(&part, argc, argv);
}
