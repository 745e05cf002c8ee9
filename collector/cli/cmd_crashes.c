/* cmd_crashes.c - `fpmscope crashes`: one row per dead worker. */
#include "cli/cli.h"
#include "cli/summary_part.h"
#include "report/summary_json.h"
#include "report/summary_text.h"

int cmd_crashes(int argc, char **argv)
{
    static const struct summary_part part = {
        .name = "crashes",
        .doc = "One row per worker that died: when, of what, by whom, serving which request, in "
               "which library and module.",
        .json = summary_json_crashes,
        .table = summary_crashes_table,
    };

    return summary_part_run(&part, argc, argv);
}
