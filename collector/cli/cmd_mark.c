/* cmd_mark.c - `fpmscope mark NAME`: a release or a change, noted in the store. */
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/paths.h"
#include "cli/cli.h"
#include "model/event_set.h"
#include "store/store.h"

enum { KEY_DATA = 1000, NAME_MAX_BYTES = 128 };

struct mark_options {
    char data_path[PATH_MAX];
    const char *name;
};

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    struct mark_options *options = state->input;

    switch (key) {
    case KEY_DATA:
        if (snprintf(options->data_path, PATH_MAX, "%s", arg) >= PATH_MAX)
            argp_error(state, "'%s' is too long", arg);
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

static const struct argp_option own_options[] = {
    {"data", KEY_DATA, "DIR", 0, "where the store is", 0},
    {0},
};

static int put_mark(const struct mark_options *options)
{
    struct event mark = {.kind = EVENT_mark};
    struct store_message message;
    struct timespec now;
    struct store *store;
    int r = store_open(options->data_path, STORE_WRITE, NULL, &store, &message);

    if (r < 0) {
        fprintf(stderr, "fpmscope mark: %s\n", message.text);
        return CLI_NO_DATA;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    event_set_ts_us(&mark, (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000);
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
    const struct argp argp = {
        .options = own_options,
        .parser = on_argument,
        .args_doc = "NAME",
        .doc = "Note a release or a change in the store; `summary --compare NAME` compares before "
               "and after it.",
    };
    struct mark_options options = {0};

    if (path_of_data(options.data_path, sizeof options.data_path) < 0 ||
        argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return CLI_USAGE;
    return put_mark(&options);
}
