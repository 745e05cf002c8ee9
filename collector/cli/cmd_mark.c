/* cmd_mark.c - `fpmscope mark NAME`: a release or a change, noted in the store. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/input/data_option.h"
#include "model/event_set.h"

enum { NAME_MAX_BYTES = 128 };

struct mark_options {
    struct data_option data;
    const char *name;
};

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    struct mark_options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->data;
        return 0;
    case ARGP_KEY_ARG:
        if (options->name)
            argp_error(state, "one name; '%s' is a second (quote a name with spaces)", arg);
        if (*arg == '\0' || strlen(arg) > NAME_MAX_BYTES)
            argp_error(state, "a name has 1 to %d bytes", NAME_MAX_BYTES);
        options->name = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which name? for example: fpmscope mark release-2.4.7");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int put_mark(const struct mark_options *options)
{
    struct event mark = {.kind = EVENT_mark};
    struct store *store;
    int r = data_option_open(&options->data, STORE_WRITE, "mark", &store);

    if (r < 0)
        return CLI_NO_DATA;
    event_set_ts_us(&mark, clock_now_us());
    event_set_name(&mark, slice_of(options->name));
    r = store_append(store, &mark);
    if (r == 0)
        r = store_flush(store);
    if (r < 0)
        fprintf(stderr, "fpmscope mark: %s\n", store_problem(store));
    store_free(store);
    return r < 0 ? CLI_NO_DATA : CLI_OK;
}

int cmd_mark(int argc, char **argv)
{
    static const struct argp_child children[] = {{&data_option_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .children = children,
        .parser = on_argument,
        .args_doc = "NAME",
        .doc = "Note a release or a change in the store; `summary --compare NAME` compares before "
               "and after it.",
    };
    struct mark_options options = {0};

    if (data_option_init(&options.data) < 0 ||
        argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return CLI_USAGE;
    return put_mark(&options);
}
