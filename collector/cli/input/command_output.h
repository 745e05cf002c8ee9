/*
 * command_output.h - ask a program of this host a question: run it, take what it prints.
 *
 * A process's own program is run only when nobody but root (or ourselves) could have written it:
 * else a user's `php-fpm` would be run as root because the doctor is.
 */
#ifndef FPMSCOPE_CLI_INPUT_COMMAND_OUTPUT_H
#define FPMSCOPE_CLI_INPUT_COMMAND_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { COMMAND_WAIT_MS = 5000, COMMAND_OUTPUT_MAX_BYTES = 8 << 20 };

/*
 * The program that `pid` runs, open for command_output(); close it.  Its file name has to begin
 * with `name`, and the process has to be root's or ours by every user id that it has: titles and
 * options are the process's own words, and a user's `nginx -c evil.conf` must not be asked as root.
 * -EACCES: one of these does not hold, or others may write the program; -EXDEV: it sees other files
 * than we do (a container); -ESRCH.
 */
int command_open_of_process(int64_t pid, const char *name);

/* A program at a fixed path, with the same demands on who may write it. */
int command_open(const char *path);

/* The first of this name in $PATH and then where servers are that meets these demands; -ESRCH.
 * Directories that do not begin with a slash are passed over. */
int command_find(const char *name);

/*
 * Run it with `argv` (ends with NULL), a short environment of its own, no input, and for at most
 * COMMAND_WAIT_MS; what it printed on stdout comes malloc'ed in `ret_text` (free() the pointer),
 * also when it failed.  Its exit status, or -errno; -ETIME when it was killed for its time.
 */
int command_output(int program_fd, char *const argv[], struct slice *ret_text);

#endif
