/* doctor_commands.h - the commands of doctor_commands.def, for this kind of host. */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_COMMANDS_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_COMMANDS_H

#include "analyze/doctor/doctor_host.h"

enum doctor_command {
#define DOCTOR_COMMAND(name, plain, hypernode) DOCTOR_COMMAND_##name,
#include "analyze/doctor/doctor_commands.def"
};

enum { DOCTOR_COMMAND_BYTES = 384 };

/* The command with `argument` (may be NULL) in place of {}; cut to the buffer, which it returns. */
const char *doctor_command(const struct doctor_host *host, enum doctor_command command,
                           const char *argument, char *buf, size_t cap);

#endif
