/*
 * find_logs.h - the logs that this host's nginx and php-fpm write, and the system's own: files, or
 * the journal (JOURNAL_OF_HOST) where it alone has what the kernel says.
 *
 * Asks each nginx that runs for its configuration (`nginx -T` with its own options, five seconds at
 * most), reads the configuration of each php-fpm that runs, and looks where the distributions put
 * these.  What cannot be read is left out in silence: nobody asked for it by name.
 */
#ifndef FPMSCOPE_CLI_INPUT_FIND_LOGS_H
#define FPMSCOPE_CLI_INPUT_FIND_LOGS_H

/*
 * Texts are valid until the return; the same path may come several times.  `access_format`: nginx's
 * log_format of an access log, NULL when its lines say what they are.
 */
typedef void (*find_logs_fn)(void *ctx, const char *path, const char *access_format);

/* All of this host. */
void find_logs(find_logs_fn on_log, void *ctx);

/* The logs of the nginx that is configured by `config_path`; NULL: by its default file.  0, or
 * -ENODATA when `nginx -T` said nothing (no nginx, not permitted, a broken configuration). */
int find_logs_of_nginx(const char *config_path, find_logs_fn on_log, void *ctx);

/* The logs that a configuration file of php-fpm names, and those that it includes. */
void find_logs_of_fpm(const char *config_path, find_logs_fn on_log, void *ctx);

#endif
