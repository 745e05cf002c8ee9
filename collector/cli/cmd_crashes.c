/* cmd_crashes.c - `fpmscope crashes`: what dead workers have in common, then one row each. */
#include "cli/cli.h"
#include "cli/summary_part.h"
#include "report/crash_groups_text.h"
#include "report/summary_json.h"
#include "report/summary_text.h"

int cmd_crashes(int argc, char **argv)
{
    static const struct summary_part part = {
        .name = "crashes",
        .doc = "One row per worker that died: when, of what, by whom, serving which request, in "
               "which library and module; on a terminal also what the deaths have in common, "
               "and since when.",
        .json = summary_json_crashes,
        .more_name = "groups",
        .more_json = crash_groups_json,
        .chapters = crash_groups_print,
        .table = summary_crashes_table,
    };

    return summary_part_run(&part, argc, argv);
}
