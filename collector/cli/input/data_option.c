/* data_option.c - see data_option.h. */
#include "cli/input/data_option.h"

#include <stdio.h>

#include "base/paths.h"

enum { KEY_DATA = 0x4001 };

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    struct data_option *option = state->input;

    if (key != KEY_DATA)
        return ARGP_ERR_UNKNOWN;
    if (snprintf(option->path, sizeof option->path, "%s", arg) >= (int) sizeof option->path)
        argp_error(state, "'%s' is too long", arg);
    return 0;
}

static const struct argp_option options[] = {
    {"data", KEY_DATA, "DIR", 0, "where the store is (default: $FPMSCOPE_DATA, /var/lib/fpmscope)",
     0},
    {0},
};

const struct argp data_option_argp = {.options = options, .parser = on_argument};

int data_option_init(struct data_option *option)
{
    return path_of_data(option->path, sizeof option->path);
}

int data_option_open(const struct data_option *option, unsigned flags, const char *command,
                     struct store **ret_store)
{
    struct store_message message;
    int r = store_open(option->path, flags, NULL, ret_store, &message);

    if (r < 0)
        fprintf(stderr, "fpmscope %s: %s\n", command, message.text);
    return r;
}
