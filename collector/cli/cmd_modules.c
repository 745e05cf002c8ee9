/* cmd_modules.c - `fpmscope modules`: one row per module. */
#include "cli/cli.h"
#include "cli/summary_part.h"
#include "report/summary_json.h"
#include "report/summary_text.h"

int cmd_modules(int argc, char **argv)
{
    static const struct summary_part part = {
        .name = "modules",
        .doc = "One row per module to blame, worst first: what it keeps after requests, holds at "
               "the peak, breaks.",
        .json = summary_json_modules,
        .table = summary_modules_table,
        .compares = true,
    };

    return summary_part_run(&part, argc, argv);
}
