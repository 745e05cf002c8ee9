/* cmd_collect.c - `fpmscope collect`: the daemon. */
#include <errno.h>
#include <limits.h>

#include "cli/cli.h"
#include "cli/collect/collect_life.h"
#include "cli/collect/collect_options.h"
#include "cli/collect/run_places.h"

int cli_exit_of_collector(int r)
{
    if (r == -EADDRINUSE || r == -EBUSY)
        return CLI_TAKEN;
    return r < 0 ? CLI_NO_DATA : CLI_OK;
}

static int collect(const struct collect_options *options)
{
    char runs[PATH_MAX];

    if (run_places_parent(runs, sizeof runs) == 0)
        run_places_sweep(runs);
    return cli_exit_of_collector(collect_life(&options->collector, COLLECT_LIFE_ALONE));
}

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = state->input;
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        argp_error(state, "unexpected '%s'", arg);
    return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

int cmd_collect(int argc, char **argv)
{
    static const struct argp_child children[] = {{&collect_options_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .parser = on_argument,
        .doc = "Collect what php-fpm's workers report, until SIGINT or SIGTERM.",
        .children = children,
    };
    struct collect_options options;

    if (collect_options_init(&options, argc, argv) < 0)
        return CLI_USAGE;
    int r = argp_parse(&argp, argc, argv, 0, NULL, &options);
    r = r == 0 ? collect(&options) : CLI_USAGE;
    collect_options_release(&options);
    return r;
}
