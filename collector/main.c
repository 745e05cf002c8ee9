/* main.c - dispatch `fpmscope COMMAND` through the table in cli/commands.def. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
    if (argc < 2) {
        cli_usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_usage(stdout);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("fpmscope " FPMSCOPE_VERSION);
        return CLI_OK;
    }
    const struct cli_command *cmd = cli_find(argv[1]);
    if (!cmd) {
        fprintf(stderr, "fpmscope: no command '%s'; `fpmscope help` lists them\n", argv[1]);
        return CLI_USAGE;
    }
    return cli_run(cmd, argc - 1, argv + 1);
}
