/* cmd_analyze.c - `fpmscope analyze TRACE`: the leak verdicts for one event stream. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/leak.h"
#include "cli/cli.h"
#include "model/event_read.h"

static json_t *route_json(const struct leak_route *r)
{
    json_t *o = json_object(), *st = json_array();
    json_object_set_new(o, "uri", json_stringn(r->uri.ptr, r->uri.len_bytes));
    json_object_set_new(o, "verdict", json_string(leak_verdict_name(r->verdict)));
    json_object_set_new(o, "confidence", json_real(r->confidence));
    json_object_set_new(o, "bytes_per_request", json_real(r->bytes_per_request));
    if (r->flagged_at >= 0)
        json_object_set_new(o, "flagged_at", json_integer(r->flagged_at));
    json_object_set_new(o, "theta", json_real(r->evidence.found_share));
    json_object_set_new(o, "se", json_real(r->evidence.found_error));
    json_object_set_new(o, "hits", json_integer((json_int_t) r->hits));
    for (size_t i = 0; i < r->stack_count; i++)
        json_array_append_new(st, json_integer(r->stacks[i]));
    json_object_set_new(o, "stacks", st);
    return o;
}

int cmd_analyze(int argc, char **argv)
{
    struct event_reader *reader;
    struct event event;
    struct leak_analyzer *analyzer = leak_analyzer_new(NULL);
    int r;

    if (argc < 2) {
        fprintf(stderr, "fpmscope analyze: which trace?\n");
        return CLI_USAGE;
    }
    r = event_reader_open(argv[1], &reader);
    if (r < 0) {
        fprintf(stderr, "cannot open '%s': %s\n", argv[1], strerror(-r));
        return CLI_NO_DATA;
    }
    while (event_reader_next(reader, &event) == 1)
        leak_feed(analyzer, &event);
    struct leak_report *report = leak_verdicts(analyzer);
    json_t *o = json_object(), *routes = json_array();
    for (size_t i = 0; i < report->route_count; i++)
        json_array_append_new(routes, route_json(&report->routes[i]));
    json_object_set_new(o, "routes", routes);
    json_object_set_new(o, "stacks", json_array());
    json_dumpf(o, stdout, JSON_INDENT(1));
    json_decref(o);
    leak_report_free(report);
    leak_analyzer_free(analyzer);
    event_reader_close(reader);
    return 0;
}
