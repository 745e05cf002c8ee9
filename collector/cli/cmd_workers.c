/* cmd_workers.c - `fpmscope workers`: one row per living worker. */
#include "cli/cli.h"
#include "cli/summary_part.h"
#include "report/summary_json.h"
#include "report/summary_text.h"

int cmd_workers(int argc, char **argv)
{
    static const struct summary_part part = {
        .name = "workers",
        .doc = "One row per living worker, largest first: RSS against the pool's median and the 63 "
               "MB reference, age, requests, the request in flight.",
        .json = summary_json_workers,
        .table = summary_workers_table,
    };

    return summary_part_run(&part, argc, argv);
}
