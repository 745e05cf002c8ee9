/* leak_trace.c - name each request's route, then let the analyzer see it. */
#include "analyze/leak/leak_trace.h"

#include <stdlib.h>

#include "analyze/route/route_naming.h"

enum { TEXTS_LIMIT_BYTES = 64 * 1024 * 1024 };

struct leak_trace {
    struct leak_analyzer *analyzer;
    struct intern texts;
    struct route_naming naming;
    bool has_uris; /* of clients: to be named */
};

struct leak_trace *leak_trace_new(void)
{
    struct leak_trace *trace = calloc(1, sizeof *trace);

    if (!trace)
        return NULL;
    intern_init(&trace->texts, TEXTS_LIMIT_BYTES);
    trace->analyzer = leak_analyzer_new(&leak_options_of_host);
    if (route_naming_init(&trace->naming, &trace->texts) < 0 || !trace->analyzer) {
        leak_trace_free(trace);
        return NULL;
    }
    return trace;
}

void leak_trace_free(struct leak_trace *trace)
{
    if (!trace)
        return;
    leak_analyzer_free(trace->analyzer);
    route_naming_release(&trace->naming);
    intern_release(&trace->texts);
    free(trace);
}

void leak_trace_feed(struct leak_trace *trace, const struct event *event)
{
    struct event named = *event;

    if (event->kind == EVENT_hdr)
        trace->has_uris = slice_equal(event->clock, SLICE("unix"));
    if (event->kind == EVENT_req && trace->has_uris)
        named.uri =
            intern_text(&trace->texts, route_naming_hit(&trace->naming, event->uri, event->name));
    leak_feed(trace->analyzer, &named);
}

/* Does the route still go by this name? */
static bool is_settled(struct leak_trace *trace, struct slice uri)
{
    const text_id name = intern_put(&trace->texts, uri);

    return !trace->has_uris || route_naming_settled(&trace->naming, name) == name;
}

struct leak_report *leak_trace_verdicts(struct leak_trace *trace)
{
    struct leak_report *report = leak_verdicts(trace->analyzer);
    size_t kept = 0;

    for (size_t i = 0; report && i < report->route_count; i++)
        if (is_settled(trace, report->routes[i].uri))
            report->routes[kept++] = report->routes[i];
    if (report)
        report->route_count = kept;
    return report;
}
