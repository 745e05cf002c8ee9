/* cmd_doctor.c - `fpmscope doctor`: is this host ready, and what is wrong with it. */
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/doctor/doctor.h"
#include "analyze/doctor/doctor_proc.h"
#include "base/paths.h"
#include "cli/cli.h"
#include "cli/collect/find_shim.h"
#include "cli/doctor/doctor_readers.h"
#include "report/doctor_text.h"
#include "report/json_text.h"
#include "report/table.h"

enum {
    KEY_DATA = 1000,
    KEY_SOCKET,
    KEY_JSON,
    KEY_ALL,
    KEY_FAIL_ON,
    KEY_FPM,
    KEY_NGINX,
    KEY_VARNISH,
    KEY_LOG
};

struct doctor_options {
    struct doctor_request request;
    bool json, all;
    enum doctor_state fail_on; /* DOCTOR_STATE_COUNT: never */
};

static const struct argp_option own_options[] = {
    {"json", KEY_JSON, 0, 0, "for machines", 0},
    {"all", KEY_ALL, 0, 0, "show what is ok, too", 0},
    {"fail-on", KEY_FAIL_ON, "warn|fail", 0, "exit 1 when a check is at least that bad", 0},
    {"fpm", KEY_FPM, "PID", 0, "look at this php-fpm master only (repeatable)", 1},
    {"nginx", KEY_NGINX, "PID", 0, "look at this nginx master", 1},
    {"varnish", KEY_VARNISH, "PID", 0, "look at this varnishd", 1},
    {"log", KEY_LOG, "FILE", 0, "a log to look at beside those that are found (repeatable)", 1},
    {"data", KEY_DATA, "DIR", 0, "where the store is", 1},
    {"socket", KEY_SOCKET, "PATH", 0, "where the collector listens", 1},
    {0},
};

static void take_path(struct argp_state *state, char *place, const char *arg)
{
    if (path_absolute(arg, place, PATH_MAX) < 0)
        argp_error(state, "'%s' is too long", arg);
}

static int64_t take_pid(struct argp_state *state, const char *arg)
{
    const int64_t pid = doctor_number(slice_of(arg));

    if (pid <= 0 || pid > INT32_MAX)
        argp_error(state, "'%s' is not a process id", arg);
    return pid;
}

static error_t on_selection(int key, char *arg, struct argp_state *state)
{
    struct doctor_request *request = &((struct doctor_options *) state->input)->request;

    switch (key) {
    case KEY_FPM:
        if (request->fpm_pids_count == DOCTOR_PIDS_MAX)
            argp_error(state, "at most %d --fpm", DOCTOR_PIDS_MAX);
        request->fpm_pids[request->fpm_pids_count++] = take_pid(state, arg);
        return 0;
    case KEY_NGINX:
        request->nginx_pid = take_pid(state, arg);
        return 0;
    case KEY_VARNISH:
        request->varnish_pid = take_pid(state, arg);
        return 0;
    case KEY_LOG:
        if (request->logs_count == DOCTOR_REQUEST_LOGS_MAX)
            argp_error(state, "at most %d --log", DOCTOR_REQUEST_LOGS_MAX);
        request->logs[request->logs_count++] = arg;
        return 0;
    case KEY_DATA:
        take_path(state, request->data, arg);
        return 0;
    case KEY_SOCKET:
        take_path(state, request->socket, arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    struct doctor_options *options = state->input;

    switch (key) {
    case KEY_JSON:
        options->json = true;
        return 0;
    case KEY_ALL:
        options->all = true;
        return 0;
    case KEY_FAIL_ON:
        if (strcmp(arg, "warn") != 0 && strcmp(arg, "fail") != 0)
            argp_error(state, "--fail-on takes warn or fail, not '%s'", arg);
        options->fail_on = arg[0] == 'w' ? DOCTOR_WARN : DOCTOR_FAIL;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected '%s'; --log names a file", arg);
        return 0;
    default:
        return on_selection(key, arg, state);
    }
}

static int conclude(const struct doctor_options *options, const struct doctor_report *report)
{
    for (int state = (int) options->fail_on; state < (int) DOCTOR_STATE_COUNT; state++)
        if (report->states[state] > 0)
            return CLI_FOUND;
    return CLI_OK;
}

static void note_shim(struct doctor_host *host)
{
    char path[PATH_MAX];

    if (find_shim(shim_library(NULL), path) == 0)
        host->shim_path = doctor_host_text(host, slice_of(path));
}

static int examine(const struct doctor_options *options)
{
    struct doctor_host *host = doctor_read_host(&options->request);
    struct doctor_report report = {0};
    int r = CLI_NO_DATA;

    if (host)
        note_shim(host);
    if (!host || doctor_examine(host, &report) < 0) {
        fprintf(stderr, "fpmscope doctor: out of memory\n");
    } else {
        if (options->json)
            json_print(doctor_json(&report, host));
        else
            doctor_text_print(stdout, &report, options->all, table_for_people(stdout));
        r = conclude(options, &report);
    }
    doctor_report_release(&report);
    doctor_host_free(host);
    return r;
}

int cmd_doctor(int argc, char **argv)
{
    const struct argp argp = {
        .options = own_options,
        .parser = on_argument,
        .doc =
            "Is this host ready for fpmscope, and what is wrong with it: PHP-FPM, memory, "
            "settings, nginx, Varnish, logs, each with its evidence and the line or command that "
            "repairs it."
            "\v"
            "Best run as root: other users may not read php-fpm's memory maps, nginx's "
            "configuration or the kernel's log; what could not be looked at is 'skipped' with the "
            "reason.  It changes nothing.  Programs are asked (php-fpm -i, php-fpm -m, nginx -T) "
            "only when nobody but root or you could have written them, for five seconds at most."
            "\n\nIn a pipe each check is one line: state, id, title, evidence, fix, separated by "
            "TABs.  Exit: 0, 1 with --fail-on when something was found, 2 wrong arguments.",
    };
    struct doctor_options *options = calloc(1, sizeof *options);
    int r = CLI_USAGE;

    argp_err_exit_status = CLI_USAGE;
    if (options) {
        options->fail_on = DOCTOR_STATE_COUNT;
        if (path_of_data(options->request.data, PATH_MAX) == 0 &&
            path_of_socket(options->request.socket, PATH_MAX) == 0 &&
            argp_parse(&argp, argc, argv, 0, NULL, options) == 0)
            r = examine(options);
    }
    free(options);
    return r;
}
