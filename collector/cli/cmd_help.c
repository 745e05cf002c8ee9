/* cmd_help.c - `fpmscope help [COMMAND]`: the list of commands, or one command's own manual. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int cmd_help(int argc, char **argv)
{
    char help_option[] = "--help";

    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        cli_usage(stdout);
        return CLI_OK;
    }
    const struct cli_command *cmd = cli_find(argv[1]);
    if (!cmd) {
        fprintf(stderr, "fpmscope help: no command '%s'; `fpmscope help` lists them\n", argv[1]);
        return CLI_USAGE;
    }
    if (cmd->run == cmd_help) {
        cli_usage(stdout);
        return CLI_OK;
    }
    return cmd->run(2, (char *[]){argv[1], help_option, NULL});
}
