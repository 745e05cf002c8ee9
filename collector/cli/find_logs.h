/*
 * find_logs.h - the logs that this host's nginx and php-fpm write, and the system's own.
 *
 * Asks `nginx -T` (five seconds at most) and reads php-fpm's configuration where the distributions
 * put it.  What cannot be read is left out in silence: nobody asked for it by name.
 */
#ifndef FPMSCOPE_CLI_FIND_LOGS_H
#define FPMSCOPE_CLI_FIND_LOGS_H

/* `path` is NUL-terminated and valid until the return; the same may come several times. */
typedef void (*find_logs_fn)(void *ctx, const char *path);

void find_logs(find_logs_fn on_path, void *ctx);

/* The logs that one configuration file of php-fpm names. */
void find_logs_of_fpm(const char *config_path, find_logs_fn on_path, void *ctx);

#endif
