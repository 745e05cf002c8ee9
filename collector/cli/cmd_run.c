/* cmd_run.c - `fpmscope run -- COMMAND`: the investigation in one command. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/paths.h"
#include "cli/cli.h"
#include "cli/collect/collect_life.h"
#include "cli/collect/collect_options.h"
#include "cli/collect/find_shim.h"
#include "cli/collect/run_places.h"
#include "cli/collect/supervisor.h"

enum { KEY_SET = 2000, KEY_NO_SUMMARY, KEY_ALLOCATOR, KEY_EXACT };

struct run {
    struct collect_options options;
    char **argv; /* the program's */
    const struct shim_library *shim;
    bool no_summary;
    bool has_socket; /* given by somebody: not a private one */
    char preload[PATH_MAX], pages[PATH_MAX];
    int pages_fd; /* as long as it is open nobody takes them for those of a run that is over */
};

/* ---- options ---------------------------------------------------------------------------------
 */

/* `--set interval_bytes=4096` is FPMSCOPE_INTERVAL_BYTES=4096 for the shim. */
static int set_for_shim(const char *assignment)
{
    char name[64] = "FPMSCOPE_";
    const char *equals = strchr(assignment, '=');
    size_t at = strlen(name);

    if (!equals || equals == assignment)
        return -EINVAL;
    for (const char *p = assignment; p < equals; p++) {
        if ((!isalnum((unsigned char) *p) && *p != '_') || at >= sizeof name - 1)
            return -EINVAL;
        name[at++] = (char) toupper((unsigned char) *p);
    }
    name[at] = '\0';
    return setenv(name, equals + 1, 1) < 0 ? -errno : 0;
}

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    struct run *run = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &run->options;
        return 0;
    case KEY_SET:
        if (set_for_shim(arg) < 0)
            argp_error(state, "--set wants name=value, not '%s'", arg);
        return 0;
    case KEY_ALLOCATOR:
        run->shim = shim_library(arg);
        if (!run->shim)
            argp_error(state, "--allocator is glibc or jemalloc, not '%s'", arg);
        return 0;
    case KEY_EXACT:
        if (set_for_shim("exact=1") < 0)
            argp_error(state, "cannot set FPMSCOPE_EXACT");
        return 0;
    case KEY_NO_SUMMARY:
        run->no_summary = true;
        return 0;
    case ARGP_KEY_ARG:
        run->argv = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which program? for example: fpmscope run -- php-fpm8.2 -F");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option own_options[] = {
    {"set", KEY_SET, "NAME=VALUE", 0, "set an option of the shim (FPMSCOPE_NAME)", 0},
    {"allocator", KEY_ALLOCATOR, "NAME", 0,
     "glibc, or jemalloc: is it fragmentation, and would another allocator cure it?", 0},
    {"exact", KEY_EXACT, NULL, 0,
     "attribute every allocation of both heaps to its stack, instead of samples: 0.6 to 0.7 of the "
     "throughput, on a test machine",
     0},
    {"no-summary", KEY_NO_SUMMARY, NULL, 0, "print no summary at the end", 0},
    {0},
};

/* ---- places ----------------------------------------------------------------------------------
 */

static int format_path(char *ret_path, const char *directory, const char *name)
{
    int n = snprintf(ret_path, PATH_MAX, "%s/%s", directory, name);

    return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* A socket and pages of our own, so that a daemon or another run is not in the way. */
static int place_socket(struct run *run)
{
    char directory[PATH_MAX], name[64];
    int r = path_parent(run->options.socket_path, directory, sizeof directory);

    snprintf(name, sizeof name, "run-%d.sock", (int) getpid());
    if (r < 0 || run->has_socket)
        return r;
    run_places_sweep_sockets(directory);
    return format_path(run->options.socket_path, directory, name);
}

static int place_pages(struct run *run)
{
    char parent[PATH_MAX];
    const char *configured = getenv("FPMSCOPE_PAGES");

    if (configured && *configured)
        return snprintf(run->pages, PATH_MAX, "%s", configured) < PATH_MAX ? 0 : -ENAMETOOLONG;
    int r = run_places_parent(parent, sizeof parent);
    if (r < 0)
        return r;
    run_places_sweep(parent);
    run->pages_fd = run_places_make(parent, run->pages, sizeof run->pages);
    return run->pages_fd < 0 ? run->pages_fd : 0;
}

static int place_everything(struct run *run)
{
    int r = find_shim(run->shim, run->preload);

    if (r < 0) {
        fprintf(stderr, "fpmscope run: cannot find %s beside this program, in ../lib or in '%s'\n",
                run->shim->file, find_shim_directory());
        return r;
    }
    r = place_socket(run);
    if (r == 0)
        r = place_pages(run);
    if (r < 0)
        fprintf(stderr, "fpmscope run: cannot place socket and pages: %s\n", strerror(-r));
    run->options.collector.pages_path = run->pages;
    return r;
}

/* The configuration that the program was given: its logs are the ones that matter here. */
static const char *config_of_program(char **argv)
{
    for (; *argv; argv++) {
        if (strcmp(*argv, "-y") == 0 || strcmp(*argv, "--fpm-config") == 0)
            return argv[1];
        if (strncmp(*argv, "-y", 2) == 0 && (*argv)[2])
            return *argv + 2;
    }
    return NULL;
}

/* ---- the command -----------------------------------------------------------------------------
 */

static int collect(void *ctx, int ready_fd)
{
    const struct collect_options *options = ctx;

    return cli_exit_of_collector(collect_life(&options->collector, ready_fd));
}

/* What was seen since `start`. */
static void summarize(const struct run *run, time_t start_s)
{
    char name[] = "fpmscope summary", data[] = "--data", since[] = "--since", start[32];
    char *argv[] = {name, data, (char *) run->options.data_path, since, start, NULL};

    if (run->no_summary)
        return;
    snprintf(start, sizeof start, "@%lld", (long long) start_s);
    cmd_summary(5, argv);
}

static int run_program(struct run *run)
{
    struct supervised what = {
        .argv = run->argv,
        .preload = run->preload,
        .socket = run->options.socket_path,
        .pages = run->pages,
        .collect = collect,
        .ctx = &run->options,
    };
    const time_t start_s = time(NULL);

    run->options.collector.fpm_config_path = config_of_program(run->argv);
    bool interrupted;
    supervisor_hold_signals(&what.signals_before);
    int r = place_everything(run);

    if (r < 0)
        return SUPERVISOR_NOT_RUN;
    r = supervisor_run(&what, &interrupted);
    rmdir(run->pages);
    if (run->pages_fd >= 0)
        close(run->pages_fd);
    sigprocmask(SIG_SETMASK, &what.signals_before, NULL);
    if (interrupted || (r != SUPERVISOR_NOT_FOUND && r != SUPERVISOR_NOT_RUN))
        summarize(run, start_s);
    return interrupted ? CLI_OK : r;
}

int cmd_run(int argc, char **argv)
{
    static const struct argp_child children[] = {{&collect_options_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = own_options,
        .parser = on_argument,
        .args_doc = "-- COMMAND [ARGUMENT...]",
        .doc = "Run php-fpm under the shim, collect what its workers report, and print the summary "
               "at the end (Ctrl-C or SIGTERM).",
        .children = children,
    };
    struct run run = {.shim = shim_library(NULL), .pages_fd = -1};

    if (collect_options_init(&run.options, argc, argv) < 0)
        return CLI_USAGE;
    char default_socket[PATH_MAX];
    const char *given = getenv("FPMSCOPE_SOCKET");
    snprintf(default_socket, sizeof default_socket, "%s", run.options.socket_path);
    int r = argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &run);
    run.has_socket = (given && *given) || strcmp(default_socket, run.options.socket_path) != 0;
    r = r == 0 ? run_program(&run) : CLI_USAGE;
    collect_options_release(&run.options);
    return r;
}
