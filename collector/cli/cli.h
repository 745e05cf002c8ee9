/* cli.h - what a command is, how one is found and run, and the exit codes they share. */
#ifndef FPMSCOPE_CLI_CLI_H
#define FPMSCOPE_CLI_CLI_H

#include <stdio.h>

#define FPMSCOPE_VERSION "0.1.0"

/* Exit codes of every command; scripts rely on them. */
enum cli_exit {
    CLI_OK = 0,      /* done, and nothing found where something could be found */
    CLI_FOUND = 1,   /* found something (summary, 502, crashes with --fail-on) */
    CLI_USAGE = 2,   /* wrong arguments */
    CLI_NO_DATA = 3, /* no store, no file, nothing to read */
    CLI_TAKEN = 4,   /* another collector has the socket or the store */
};

struct cli_command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0]: "fpmscope NAME"; returns a cli_exit */
    const char *summary;
};

/* The entry called `name`, or NULL. */
const struct cli_command *cli_find(const char *name);

/*
 * Run it with its arguments; argv[0] is replaced by its full name ("fpmscope summary"), which is
 * what usage lines and errors then say.  Returns a cli_exit; argp's own errors end with CLI_USAGE.
 */
int cli_run(const struct cli_command *cmd, int argc, char **argv);

/* What `collect` and `run` end with when their collector has: 0, or -errno. */
int cli_exit_of_collector(int r);

/* Print the list of commands, as `fpmscope help` does. */
void cli_usage(FILE *out);

#define CLI_COMMAND(name, function, summary) int function(int argc, char **argv);
#include "cli/commands.def"

#endif
