/* cmd_workers.c - `fpmscope workers`: one row per living worker. */
#include "cli/cli.h"
#include "cli/summary_part.h"
#include "report/summary_json.h"
#include "report/summary_text.h"

int cmd_workers(int argc, char **argv)
{
    static const struct summary_part part = {
        .name = "workers",
        .doc = "One row per living worker, largest first: RSS against its pool's median, requests, "
               "age, the request in flight; of a Magento shop also against the 63 MB that a "
               "healthy worker of it takes (in a pipe always, as the fifth column).",
        .json = summary_json_workers,
        .table = summary_workers_table,
    };

    return summary_part_run(&part, argc, argv);
}
