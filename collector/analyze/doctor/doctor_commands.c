/* doctor_commands.c - pick a command and fill it in. */
#include "analyze/doctor/doctor_commands.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *plain, *hypernode;
} commands[] = {
#define DOCTOR_COMMAND(name, plain, hypernode) {plain, hypernode},
#include "analyze/doctor/doctor_commands.def"
};

const char *doctor_command(const struct doctor_host *host, enum doctor_command command,
                           const char *argument, char *buf, size_t cap)
{
    const char *text = host->hypernode ? commands[command].hypernode : commands[command].plain;
    const char *hole = strstr(text, "{}");

    if (hole)
        snprintf(buf, cap, "%.*s%s%s", (int) (hole - text), text, argument ? argument : "",
                 hole + 2);
    else
        snprintf(buf, cap, "%s", text);
    return buf;
}
