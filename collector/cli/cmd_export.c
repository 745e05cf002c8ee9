/* cmd_export.c - `fpmscope export`: the event stream out of a store. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/input/data_option.h"
#include "cli/input/period.h"
#include "model/event_set.h"
#include "model/event_write.h"

enum { KEY_FORMAT = 1000 };

struct export_options {
    struct data_option data;
    const char *output; /* NULL: stdout */
    struct period period;
};

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    struct export_options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->period;
        state->child_inputs[1] = &options->data;
        return 0;
    case 'o':
        options->output = arg;
        return 0;
    case KEY_FORMAT:
        if (strcmp(arg, "events") != 0)
            argp_error(state, "no format '%s'; this version writes: events", arg);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected '%s'", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option own_options[] = {
    {"format", KEY_FORMAT, "FORMAT", 0, "events (the default): one JSON object a line", 0},
    {"output", 'o', "FILE", 0, "write there, not to standard output", 0},
    {0},
};

/* The first sampling interval that anybody named; readers weigh samples by it. */
static int find_interval(void *ctx, const struct event *event)
{
    *(int64_t *) ctx = event->interval_bytes;
    return event_has(event, EVENT_HAS_interval_bytes) && event->interval_bytes > 0;
}

static int write_header(struct store *store, const struct store_query *period, FILE *out)
{
    struct store_query query = *period;
    struct event header = {.kind = EVENT_hdr};
    int64_t interval_bytes = 0;

    query.kinds = STORE_KIND(start) | STORE_KIND(hdr) | STORE_KIND(smp);
    if (store_each_event(store, &query, find_interval, &interval_bytes) < 0)
        interval_bytes = 0;
    event_set_version(&header, 1);
    event_set_trace(&header, SLICE("fpmscope"));
    event_set_clock(&header, SLICE("unix"));
    if (interval_bytes > 0)
        event_set_interval_bytes(&header, interval_bytes);
    return event_write(&header, out);
}

static int write_event(void *ctx, const struct event *event)
{
    int r = event_write(event, ctx);

    /* One event that does not fit a line is no reason to lose the rest. */
    return r == -EMSGSIZE || r == -EINVAL ? 0 : r;
}

static int export_events(struct store *store, const struct export_options *options, FILE *out)
{
    const struct store_query query = {
        .from_us = options->period.from_us,
        .to_us = options->period.to_us,
        .kinds = UINT32_MAX & ~STORE_KIND(hdr),
    };
    int r = write_header(store, &query, out);

    if (r == 0)
        r = store_each_event(store, &query, write_event, out);
    if (fflush(out) != 0 && r == 0)
        r = -errno;
    return r;
}

/* Exported data is as private as the store. */
static FILE *open_output(const struct export_options *options)
{
    if (!options->output)
        return stdout;
    mode_t before = umask(0077);
    FILE *out = fopen(options->output, "wxe");
    umask(before);
    if (!out)
        fprintf(stderr, "fpmscope export: cannot write '%s': %s\n", options->output,
                strerror(errno));
    return out;
}

static int export_store(const struct export_options *options)
{
    struct store *store;
    int r = data_option_open(&options->data, STORE_READ, "export", &store);

    if (r < 0)
        return CLI_NO_DATA;
    FILE *out = open_output(options);
    r = out ? export_events(store, options, out) : -EIO;
    if (out && r < 0 && r != -EPIPE)
        fprintf(stderr, "fpmscope export: cannot write all of it: %s\n", store_error(r));
    if (out && out != stdout && fclose(out) != 0)
        r = -EIO;
    store_free(store);
    return r < 0 ? CLI_NO_DATA : CLI_OK;
}

int cmd_export(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&period_argp, 0, NULL, 0}, {&data_option_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = own_options,
        .parser = on_argument,
        .doc = "Write what the store knows as an event stream (`fpmscope help events`).",
        .children = children,
    };
    struct export_options options = {0};

    if (data_option_init(&options.data) < 0 ||
        argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return CLI_USAGE;
    return export_store(&options);
}
