/* cmd_collect.c - `fpmscope collect`: the daemon. */
#include <errno.h>
#include <signal.h>

#include "cli/cli.h"
#include "cli/collect/collect_options.h"
#include "cli/collect/collector.h"

static void on_signal(void *ctx, int signo)
{
    (void) signo;
    loop_stop(collector_loop(ctx));
}

static int exit_code(int r)
{
    return r == -EADDRINUSE || r == -EBUSY ? CLI_TAKEN : CLI_NO_DATA;
}

/* Who stops us while we start waits until a stop is a clean one. */
static void hold_signals(int how)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(how, &signals, NULL);
}

static int collect_once(const struct collect_options *options, bool *ret_again)
{
    struct loop_watch *interrupt = NULL, *terminate = NULL;
    struct collector *collector;

    hold_signals(SIG_BLOCK);
    int r = collector_new(&options->collector, &collector);
    *ret_again = r == -EBADMSG;
    if (r < 0) {
        hold_signals(SIG_UNBLOCK);
        return exit_code(r);
    }
    /* Data gone, terminal gone: neither is a reason to end. */
    signal(SIGPIPE, SIG_IGN);
    loop_watch_signal(collector_loop(collector), SIGINT, on_signal, collector, &interrupt);
    loop_watch_signal(collector_loop(collector), SIGTERM, on_signal, collector, &terminate);
    hold_signals(SIG_UNBLOCK);
    loop_run(collector_loop(collector));
    loop_watch_free(interrupt);
    loop_watch_free(terminate);
    *ret_again = collector_is_spoiled(collector);
    collector_free(collector);
    return CLI_OK;
}

static int collect(const struct collect_options *options)
{
    bool again = true;
    int r = CLI_OK;

    /* Twice would mean that a new store cannot be used either. */
    for (int tries = 0; again && tries < 2; tries++)
        r = collect_once(options, &again);
    return again ? CLI_NO_DATA : r;
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
