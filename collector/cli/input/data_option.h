/*
 * data_option.h - `--data DIR` of commands that read or write a store, and opening it.
 *
 * An argp child: its input is a struct data_option.
 */
#ifndef FPMSCOPE_CLI_INPUT_DATA_OPTION_H
#define FPMSCOPE_CLI_INPUT_DATA_OPTION_H

#include <argp.h>
#include <limits.h>

#include "store/store.h"

struct data_option {
    char path[PATH_MAX];
};

extern const struct argp data_option_argp;

/* The place where a store is by default; -errno when there is none. */
int data_option_init(struct data_option *option);

/* Open it with store_open()'s flags; what goes wrong is printed after "fpmscope COMMAND: ".  0 or
 * -errno. */
int data_option_open(const struct data_option *option, unsigned flags, const char *command,
                     struct store **ret_store);

#endif
