/* nginx_dump.h - the whole configuration of an nginx, as `nginx -T` prints it. */
#ifndef FPMSCOPE_CLI_INPUT_NGINX_DUMP_H
#define FPMSCOPE_CLI_INPUT_NGINX_DUMP_H

#include <stdint.h>

#include "base/slice.h"

/*
 * Of the master `pid` with that title, with the -c, -p and -e that it was started with; pid <= 0:
 * of /usr/sbin/nginx by its default file.  malloc'ed, free() the pointer, also when this failed. 0,
 * nginx's exit status, or -errno as in command_output.h.
 */
int nginx_dump(int64_t pid, struct slice title, struct slice *ret_text);

/* The same of the nginx that a shell would find, with `config_path`; NULL: with its default file.
 */
int nginx_dump_of_file(const char *config_path, struct slice *ret_text);

#endif
