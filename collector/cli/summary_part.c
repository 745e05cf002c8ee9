/* summary_part.c - a command that prints one part of the summary: a table, or its JSON. */
#include "cli/summary_part.h"

#include "cli/cli.h"
#include "cli/summary_view.h"
#include "report/json_text.h"
#include "report/summary_json.h"
#include "report/table.h"

int summary_part_run(const struct summary_part *part, int argc, char **argv)
{
    struct summary_request request;
    struct summary_view view;
    int r;

    summary_request_parse(argc, argv, part->doc, &request);
    r = summary_view_open(&request, &view);
    if (r == 0) {
        if (request.json) {
            json_t *root = json_object();

            json_object_set_new(root, "period", summary_json_period(view.result));
            json_object_set_new(root, part->name, part->json(view.result));
            if (part->more_json)
                json_object_set_new(root, part->more_name, part->more_json(view.result));
            json_print(root);
        } else {
            bool for_people = table_for_people(stdout);

            if (for_people && part->chapters)
                part->chapters(stdout, view.result);
            part->table(stdout, view.result, for_people);
        }
        r = summary_view_verdict(&request, &view);
    }
    summary_view_release(&view);
    return r;
}
