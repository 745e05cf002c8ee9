/* cmd_analyze.c - `fpmscope analyze TRACE`: the leak verdicts for one event stream. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/leak/leak_trace.h"
#include "cli/cli.h"
#include "model/event_read.h"
#include "report/human.h"
#include "report/json_text.h"
#include "report/leak_json.h"
#include "report/leak_text.h"
#include "report/table.h"

enum { KEY_JSON = 1000, KEY_ALL };

struct analyze_options {
    const char *path;
    bool json, all;
};

static const struct argp_option own_options[] = {
    {"json", KEY_JSON, NULL, 0, "the verdict object, for machines", 0},
    {"all", KEY_ALL, NULL, 0, "also routes where nothing stays, or too little was seen", 0},
    {0},
};

static const char manual[] =
    "Which routes leak native memory, according to one event stream?\v"
    "TRACE is a file of `fpmscope export --format=events`, plain or gzip, or - for standard input. "
    "Requests are grouped by page as in `fpmscope summary`; in a stream whose header has no clock "
    "(a "
    "simulation) the uri of each request is taken as its route.\n\n"
    "Verdicts:\n"
#define LEAK_VERDICT(name, meaning) "  " #name ": " meaning "\n"
#include "analyze/leak/leak_verdicts.def"
    "\nExit status: 0 whatever was found, 2 usage, 3 no such file.";

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    struct analyze_options *options = state->input;

    switch (key) {
    case KEY_JSON:
        options->json = true;
        return 0;
    case KEY_ALL:
        options->all = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->path)
            argp_error(state, "one trace at a time");
        options->path = arg;
        return 0;
    case ARGP_KEY_END:
        if (!options->path)
            argp_error(state, "which trace?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Feed the whole stream; *ret_trace gets the header's name (to be freed).  0 or -errno. */
static int feed_all(struct event_reader *reader, struct leak_trace *leaks, char **ret_trace)
{
    struct event event;
    int r;

    while ((r = event_reader_next(reader, &event)) == 1) {
        if (event.kind == EVENT_hdr && !*ret_trace && event.trace.len_bytes > 0)
            *ret_trace = strndup(event.trace.ptr, event.trace.len_bytes);
        leak_trace_feed(leaks, &event);
    }
    return r;
}

static bool is_quiet(enum leak_verdict verdict)
{
    return verdict == LEAK_VERDICT_clean || verdict == LEAK_VERDICT_warmup ||
           verdict == LEAK_VERDICT_insufficient;
}

static void print_table(const struct leak_report *report, bool all)
{
    static const struct table_column columns[] = {
        {"VERDICT", 0},        {"CONF", TABLE_RIGHT},    {"BYTES/REQ", TABLE_RIGHT},
        {"HITS", TABLE_RIGHT}, {"WORKERS", TABLE_RIGHT}, {"ROUTE", TABLE_ELIDE},
        {"WHY", TABLE_WRAP},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    size_t hidden = 0;

    for (size_t i = 0; table && i < report->route_count; i++) {
        const struct leak_route *route = &report->routes[i];
        char conf[16], bytes[HUMAN_BYTES], hits[24], workers[24], text[LEAK_TEXT_BYTES];

        if (!all && is_quiet(route->verdict)) {
            hidden++;
            continue;
        }
        snprintf(conf, sizeof conf, "%.2f", route->confidence);
        snprintf(hits, sizeof hits, "%" PRIu64, route->hits);
        snprintf(workers, sizeof workers, "%" PRIu64, route->workers);
        table_add(table, (struct slice[]){
                             slice_of(leak_verdict_name(route->verdict)), slice_of(conf),
                             slice_of(human_bytes(route->bytes_per_request, bytes, sizeof bytes)),
                             slice_of(hits), slice_of(workers), route->uri,
                             slice_of(leak_text(route, text))});
    }
    if (table)
        table_print(table, stdout, table_for_people(stdout));
    table_free(table);
    if (hidden > 0)
        fprintf(stderr, "%zu route%s where nothing stays or too little was seen: --all\n", hidden,
                human_plural(hidden));
}

/* Say once what was not usable, on stderr. */
static void print_gaps(const struct leak_coverage *coverage)
{
    const struct {
        uint64_t count;
        const char *what;
    } rows[] = {
        {coverage->requests_without_ledger, "requests without l0 or l1"},
        {coverage->absurd_requests, "requests with impossible numbers"},
        {coverage->late_requests, "repeated or late requests"},
        {coverage->missed_requests, "requests missing between others (lost messages)"},
        {coverage->evicted_routes, "rare routes forgotten to make room"},
        {coverage->evicted_workers, "silent workers forgotten to make room"},
        {coverage->refused_blocks, "sampled blocks beyond the limit"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].count > 0)
            fprintf(stderr, "not used: %" PRIu64 " %s\n", rows[i].count, rows[i].what);
}

static int print_report(const struct analyze_options *options, const char *trace,
                        const struct leak_report *report, const struct event_read_stats *stats)
{
    event_read_stats_print(stats, "fpmscope analyze: ", stderr);
    if (options->json)
        return json_print(leak_json(slice_of(trace ? trace : ""), report, stats));
    print_table(report, options->all);
    print_gaps(&report->coverage);
    return 0;
}

static int analyze(const struct analyze_options *options, struct event_reader *reader)
{
    struct leak_trace *leaks = leak_trace_new();
    struct leak_report *report = NULL;
    char *trace = NULL;
    int r = leaks ? feed_all(reader, leaks, &trace) : -ENOMEM;

    if (r == 0) {
        report = leak_trace_verdicts(leaks);
        r = report ? print_report(options, trace, report, event_reader_stats(reader)) : -ENOMEM;
    }
    if (r < 0)
        fprintf(stderr, "fpmscope analyze: cannot analyze '%s': %s\n", options->path, strerror(-r));
    leak_report_free(report);
    leak_trace_free(leaks);
    free(trace);
    return r < 0 ? CLI_NO_DATA : CLI_OK;
}

int cmd_analyze(int argc, char **argv)
{
    const struct argp argp = {
        .options = own_options, .parser = on_argument, .args_doc = "TRACE[.gz]", .doc = manual};
    struct analyze_options options = {0};
    struct event_reader *reader;
    int r;

    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return CLI_USAGE;
    r = event_reader_open(options.path, &reader);
    if (r < 0) {
        fprintf(stderr, "fpmscope analyze: cannot open '%s': %s\n", options.path, strerror(-r));
        return CLI_NO_DATA;
    }
    r = analyze(&options, reader);
    event_reader_close(reader);
    return r;
}
