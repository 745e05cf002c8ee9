/* summary_view.c - what `summary`, `routes`, `modules`, `workers` and `crashes` share. */
#include "cli/summary_view.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/paths.h"
#include "cli/cli.h"
#include "cli/gateway/store_feed.h"

enum { OPTION_FAIL_ON = 0x3001, OPTION_DATA, OPTION_JSON, OPTION_COMPARE };

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct summary_request *request = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &request->period;
        return 0;
    case OPTION_DATA:
        request->data = arg;
        return 0;
    case OPTION_JSON:
        request->json = true;
        return 0;
    case 'a':
        request->all = true;
        return 0;
    case OPTION_COMPARE:
        request->compare = arg;
        return 0;
    case OPTION_FAIL_ON:
        if (strcmp(arg, "leak") != 0 && strcmp(arg, "crash") != 0 && strcmp(arg, "any") != 0)
            argp_error(state, "--fail-on takes leak, crash or any, not '%s'", arg);
        request->fail_on = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void summary_request_parse(int argc, char **argv, const char *doc,
                           struct summary_request *ret_request)
{
    static const struct argp_option options[] = {
        {"data", OPTION_DATA, "DIR", 0, "the store (default: $FPMSCOPE_DATA, /var/lib/fpmscope)",
         1},
        {"json", OPTION_JSON, NULL, 0, "for machines", 1},
        {"all", 'a', NULL, 0, "also what is healthy", 1},
        {"compare", OPTION_COMPARE, "WITH", 0,
         "summary, routes, modules: what changed since `fpmscope mark WITH`, or between the period "
         "WITH, written FROM..TO, and that of --since and --until (without these: all after TO)",
         1},
        {"fail-on", OPTION_FAIL_ON, "WHAT", 0, "exit with 1 when there is a leak, a crash, or any",
         1},
        {0},
    };
    const struct argp_child children[] = {{.argp = &period_argp}, {0}};
    const struct argp argp = {
        .options = options, .parser = parse_option, .doc = doc, .children = children};

    *ret_request = (struct summary_request){0};
    argp_parse(&argp, argc, argv, 0, NULL, ret_request);
}

int summary_request_open_store(const struct summary_request *request, struct store **ret_store)
{
    char directory[PATH_MAX];
    struct store_message message;
    const char *data = request->data;

    if (!data) {
        int r = path_of_data(directory, sizeof directory);

        if (r < 0) {
            fprintf(stderr, "fpmscope: no data directory: %s; give one with --data\n",
                    strerror(-r));
            return CLI_NO_DATA;
        }
        data = directory;
    }
    if (store_open(data, STORE_READ, NULL, ret_store, &message) < 0) {
        fprintf(stderr, "fpmscope: %s\n", message.text);
        return CLI_NO_DATA;
    }
    return 0;
}

static int on_event(void *ctx, const struct event *event)
{
    summary_add_event(ctx, event);
    return 0;
}

/* What the gateway knows of a dead worker: who killed it, and what the client got. */
static void note_deaths(struct summary *summary, const struct gateway_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int p = 0; p < rows[i].pid_count; p++)
            summary_note_death(
                summary,
                &(struct summary_death_note){
                    .pid = rows[i].pids[p],
                    .time_us = rows[i].time_us,
                    .killer = slice_of(gateway_killer_name(rows[i].killer)),
                    .client_status = rows[i].join == JOIN_AMBIGUOUS ? 0 : rows[i].client_status,
                    .stack_overflow = rows[i].stack_overflow,
                });
}

static int read_all(const struct summary_request *request, struct summary_view *view)
{
    const struct store_query query = {.from_us = request->period.from_us,
                                      .to_us = request->period.to_us};
    int r = store_each_event(view->store, &query, on_event, view->summary);

    if (r == 0)
        r = store_feed_gateway(view->store, &request->period, view->gateway);
    return r;
}

int summary_view_open(const struct summary_request *request, struct summary_view *ret_view)
{
    const struct summary_options options = {.from_us = request->period.from_us,
                                            .to_us = request->period.to_us,
                                            .now_us = clock_now_us(),
                                            .rules = &ret_view->modules.rules};
    int r;

    *ret_view = (struct summary_view){0};
    module_config_init(&ret_view->modules, true);
    module_config_read_default(&ret_view->modules);
    r = summary_request_open_store(request, &ret_view->store);
    if (r != 0)
        return r;
    ret_view->summary = summary_new(&options);
    ret_view->gateway = gateway_new(NULL);
    if (!ret_view->summary || !ret_view->gateway)
        r = -ENOMEM;
    if (r == 0)
        r = read_all(request, ret_view);
    if (r == 0 && !(ret_view->report = gateway_finish(ret_view->gateway)))
        r = -ENOMEM;
    if (r < 0) {
        fprintf(stderr, "fpmscope: cannot read the store: %s\n", store_error(r));
        return CLI_NO_DATA;
    }
    note_deaths(ret_view->summary, ret_view->report->rows, ret_view->report->row_count);
    note_deaths(ret_view->summary, ret_view->report->deaths, ret_view->report->death_count);
    ret_view->result = summary_finish(ret_view->summary);
    return 0;
}

void summary_view_release(struct summary_view *view)
{
    gateway_free(view->gateway);
    summary_free(view->summary);
    module_config_release(&view->modules);
    store_free(view->store);
}

int summary_view_verdict(const struct summary_request *request, const struct summary_view *view)
{
    const char *what = request->fail_on;
    bool any = what && strcmp(what, "any") == 0;
    bool leak = false;

    if (!what)
        return CLI_OK;
    for (size_t i = 0; i < view->result->route_count; i++)
        leak |= slice_equal(view->result->routes[i].verdict, SLICE("leak"));
    if ((any || strcmp(what, "leak") == 0) && leak)
        return CLI_FOUND;
    if ((any || strcmp(what, "crash") == 0) && view->result->crash_count > 0)
        return CLI_FOUND;
    return CLI_OK;
}
