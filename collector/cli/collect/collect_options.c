/* collect_options.c - defaults, the INI file, then the command line; the later wins. */
#include "cli/collect/collect_options.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"
#include "logs/access_format.h"

enum {
    KEY_SOCKET = 1000,
    KEY_DATA,
    KEY_CONFIG,
    KEY_LOG,
    KEY_LOG_FORMAT,
    KEY_NGINX_CONFIG,
    KEY_NO_FIND_LOGS,
    KEY_SHOW_QUERY,
    KEY_KEEP_DAYS,
    KEY_KEEP_MIB,
    KEY_QUIET,
};

/* The names are those of the configuration file too, without the dashes. */
static const struct argp_option known[] = {
    {"socket", KEY_SOCKET, "PATH", 0, "where workers connect", 0},
    {"data", KEY_DATA, "DIR", 0, "where the store is", 0},
    {"config", KEY_CONFIG, "FILE", 0, "configuration, INI", 0},
    {"log", KEY_LOG, "FILE", 0, "follow this log ('journal:' is the host's); may be given again",
     0},
    {"log-format", KEY_LOG_FORMAT, "TEXT", 0,
     "nginx's log_format of the access logs given with --log; those that nginx -T names bring "
     "theirs",
     0},
    {"nginx-config", KEY_NGINX_CONFIG, "FILE", 0,
     "follow the logs that this nginx.conf names (nginx -T -c FILE)", 0},
    {"no-find-logs", KEY_NO_FIND_LOGS, NULL, 0,
     "follow only the given logs, not those in the configurations of nginx and php-fpm", 0},
    {"show-query", KEY_SHOW_QUERY, NULL, 0, "keep the values of query strings, not only names", 0},
    {"keep-days", KEY_KEEP_DAYS, "N", 0, "cut off what is older, default 14", 0},
    {"keep-size", KEY_KEEP_MIB, "MIB", 0, "cut off the oldest above this size, default 1024", 0},
    {"quiet", KEY_QUIET, NULL, 0, "say only what goes wrong", 0},
    {0},
};

static int add_log(struct collector_options *collector, const char *path)
{
    if (collector->log_count == COLLECTOR_LOGS_MAX)
        return -ENFILE;
    collector->logs[collector->log_count++] = path;
    return 0;
}

static int set_path(char *buffer, const char *value)
{
    if (strlen(value) >= PATH_MAX)
        return -ENAMETOOLONG;
    snprintf(buffer, PATH_MAX, "%s", value);
    return 0;
}

static int set_number(int64_t *number, const char *value)
{
    char *end;
    long long parsed = strtoll(value, &end, 10);

    if (*end || end == value || parsed <= 0 || parsed > 1 << 30)
        return -EINVAL;
    *number = parsed;
    return 0;
}

static int set_log_format(struct collector_options *collector, const char *value)
{
    collector->log_format = value;
    return access_format_problem(value) ? -EBADMSG : 0;
}

/* -ENOENT: no such option; -EBADMSG: a log_format that cannot be used. */
static int set(struct collect_options *options, int key, const char *value)
{
    struct collector_options *collector = &options->collector;

    switch (key) {
    case KEY_SOCKET:
        return set_path(options->socket_path, value);
    case KEY_DATA:
        return set_path(options->data_path, value);
    case KEY_CONFIG:
        return set_path(options->config_path, value);
    case KEY_LOG:
        return add_log(collector, value);
    case KEY_LOG_FORMAT:
        return set_log_format(collector, value);
    case KEY_NGINX_CONFIG:
        collector->nginx_config_path = value;
        return 0;
    case KEY_NO_FIND_LOGS:
        collector->find_logs = false;
        return 0;
    case KEY_SHOW_QUERY:
        collector->show_query = true;
        return 0;
    case KEY_KEEP_DAYS:
        return set_number(&collector->keep_days, value);
    case KEY_KEEP_MIB:
        return set_number(&collector->keep_mib, value);
    case KEY_QUIET:
        collector->quiet = true;
        return 0;
    default:
        return -ENOENT;
    }
}

/* ---- the file --------------------------------------------------------------------------------
 */

static const struct argp_option *option_named(const char *name)
{
    for (const struct argp_option *option = known; option->name; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

static bool means_yes(const char *value)
{
    return strcmp(value, "yes") == 0 || strcmp(value, "true") == 0 || strcmp(value, "on") == 0 ||
           strcmp(value, "1") == 0;
}

static bool is_kept(int key)
{
    return key == KEY_LOG || key == KEY_LOG_FORMAT || key == KEY_NGINX_CONFIG;
}

/* The value lives in the parser's line; what is borrowed later has to be kept. */
static const char *keep(struct collect_options *options, const char *value)
{
    if (options->owned_count == sizeof options->owned / sizeof *options->owned)
        return NULL;
    char *copy = strdup(value);
    if (copy)
        options->owned[options->owned_count++] = copy;
    return copy;
}

/* 1 is good and 0 is bad, says libinih. */
static int on_ini(void *ctx, const char *section, const char *name, const char *value)
{
    struct collect_options *options = ctx;
    const struct argp_option *option = option_named(name);

    if (strcmp(section, "modules") == 0) /* names modules; cli/module_config.h reads it */
        return 1;
    if (!option || option->key == KEY_CONFIG) {
        fprintf(stderr, "fpmscope: '%s': no option '%s'\n", options->config_path, name);
        return 0;
    }
    if (!option->arg && !means_yes(value))
        return 1;
    if (is_kept(option->key) && !(value = keep(options, value)))
        return 0;
    if (set(options, option->key, value) < 0) {
        fprintf(stderr, "fpmscope: '%s': '%s' is no value for %s\n", options->config_path, value,
                name);
        return 0;
    }
    return 1;
}

/* Looked for by hand: the file's values must be there before the command line is read. */
static const char *config_argument(int argc, char **argv)
{
    static const char option[] = "--config";
    const size_t length = sizeof option - 1;

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], option, length) != 0)
            continue;
        if (argv[i][length] == '=')
            return argv[i] + length + 1;
        if (argv[i][length] == '\0' && i + 1 < argc)
            return argv[i + 1];
    }
    return NULL;
}

static int read_config(struct collect_options *options, bool must_exist)
{
    int line = ini_parse(options->config_path, on_ini, options);

    if (line == 0 || (line == -1 && !must_exist))
        return 0;
    if (line == -1)
        fprintf(stderr, "fpmscope: cannot read '%s': %s\n", options->config_path, strerror(errno));
    else
        fprintf(stderr, "fpmscope: '%s': line %d cannot be used\n", options->config_path, line);
    return -EINVAL;
}

int collect_options_init(struct collect_options *options, int argc, char **argv)
{
    const char *given = config_argument(argc, argv);

    *options = (struct collect_options){.collector = {.find_logs = true}};
    options->collector.socket_path = options->socket_path;
    options->collector.data_path = options->data_path;
    int r = path_of_socket(options->socket_path, sizeof options->socket_path);
    if (r == 0)
        r = path_of_data(options->data_path, sizeof options->data_path);
    if (r == 0)
        r = given ? set_path(options->config_path, given)
                  : path_of_config(options->config_path, sizeof options->config_path);
    if (r < 0) {
        fprintf(stderr, "fpmscope: a default path is too long\n");
        return r;
    }
    r = read_config(options, given != NULL);
    if (r < 0)
        collect_options_release(options);
    return r;
}

void collect_options_release(struct collect_options *options)
{
    for (size_t i = 0; i < options->owned_count; i++)
        free(options->owned[i]);
    options->owned_count = 0;
}

/* ---- the command line ------------------------------------------------------------------------
 */

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    int r = key >= KEY_SOCKET && key <= KEY_QUIET ? set(state->input, key, arg) : -ENOENT;

    if (r == -ENOENT)
        return ARGP_ERR_UNKNOWN;
    if (r == -ENFILE)
        argp_error(state, "at most %d logs can be followed", COLLECTOR_LOGS_MAX);
    else if (r == -EBADMSG)
        argp_error(state, "log format '%s' cannot be used: %s", arg, access_format_problem(arg));
    else if (r < 0)
        argp_error(state, "'%s' cannot be used here", arg);
    return 0;
}

const struct argp collect_options_argp = {.options = known, .parser = on_argument};
