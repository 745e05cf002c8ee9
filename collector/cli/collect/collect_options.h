/*
 * collect_options.h - the options that `collect` and `run` share: where socket and data are, which
 * logs to follow, how long to keep.  The environment and the configuration file give defaults.
 */
#ifndef FPMSCOPE_CLI_COLLECT_COLLECT_OPTIONS_H
#define FPMSCOPE_CLI_COLLECT_COLLECT_OPTIONS_H

#include <argp.h>
#include <limits.h>

#include "cli/collect/collector.h"

struct collect_options {
    struct collector_options collector; /* points into the rest */
    char socket_path[PATH_MAX], data_path[PATH_MAX], config_path[PATH_MAX];
    char *owned[COLLECTOR_LOGS_MAX + 2]; /* texts of the configuration that are borrowed */
    size_t owned_count;
};

/*
 * Defaults, then the configuration file: `--config FILE` in `argv` (up to a `--`), else the default
 * one when it exists.  0, or -errno after the reason has been printed.
 */
int collect_options_init(struct collect_options *options, int argc, char **argv);
void collect_options_release(struct collect_options *options);

/* A child parser; its input is a `struct collect_options`. */
extern const struct argp collect_options_argp;

#endif
