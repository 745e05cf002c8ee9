/* cli.c - the command table, and the usage text that is printed from it. */
#include "cli/cli.h"

#include <argp.h>
#include <stddef.h>
#include <string.h>

#include "report/paragraph.h"

enum { CLI_NAME_BYTES = 64 };

/* Ends with an entry whose name is NULL. */
static const struct cli_command commands[] = {
#define CLI_COMMAND(name, function, summary) {name, function, summary},
#include "cli/commands.def"
    {NULL, NULL, NULL},
};

const struct cli_command *cli_find(const char *name)
{
    for (const struct cli_command *cmd = commands; cmd->name; cmd++)
        if (strcmp(cmd->name, name) == 0)
            return cmd;
    return NULL;
}

int cli_run(const struct cli_command *cmd, int argc, char **argv)
{
    char name[CLI_NAME_BYTES];

    snprintf(name, sizeof name, "fpmscope %s", cmd->name);
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    return cmd->run(argc, argv);
}

void cli_usage(FILE *out)
{
    fputs("usage: fpmscope COMMAND [OPTION...]\n\n", out);
    paragraph_print(out, "",
                    SLICE("Which request, which module and which library made php-fpm leak, crash "
                          "and answer 502."),
                    paragraph_columns(out));
    fputc('\n', out);
    for (const struct cli_command *cmd = commands; cmd->name; cmd++)
        fprintf(out, "  %-10s %s\n", cmd->name, cmd->summary);
    fputs("\n`fpmscope COMMAND --help` explains one command.\n", out);
}
