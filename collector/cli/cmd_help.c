/* cmd_help.c - `fpmscope help [COMMAND|TOPIC]`: the list of commands, one command's own manual, or
 * a page about something else. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/help_topics.h"

static void print_overview(void)
{
    cli_usage(stdout);
    for (const struct help_topic *topic = help_topics; topic->name; topic++)
        printf("  help %-9s %s\n", topic->name, topic->summary);
}

int cmd_help(int argc, char **argv)
{
    char help_option[] = "--help";

    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        print_overview();
        return CLI_OK;
    }
    const struct help_topic *topic = help_topic_find(argv[1]);

    if (topic) {
        topic->print(stdout);
        return CLI_OK;
    }
    const struct cli_command *cmd = cli_find(argv[1]);
    if (!cmd) {
        fprintf(stderr, "fpmscope help: no command or topic '%s'; `fpmscope help` lists them\n",
                argv[1]);
        return CLI_USAGE;
    }
    if (cmd->run == cmd_help) {
        cli_usage(stdout);
        return CLI_OK;
    }
    return cli_run(cmd, 2, (char *[]){argv[1], help_option, NULL});
}
