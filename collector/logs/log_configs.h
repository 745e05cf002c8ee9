/*
 * log_configs.h - which logs a configuration names, and in which format: nginx's (as `nginx -T`
 * prints it) and php-fpm's.
 *
 * Pure: text in, paths out.  Only absolute paths of files are given; `off`, syslog:, variables,
 * devices and what is relative to an unknown prefix are not.
 */
#ifndef FPMSCOPE_LOGS_LOG_CONFIGS_H
#define FPMSCOPE_LOGS_LOG_CONFIGS_H

#include "base/slice.h"

/* Valid until the return; the same path may come several times.  `access_format`: nginx's
 * log_format, for access_format_compile(); NULL when the lines say themselves what they are. */
typedef void (*log_config_fn)(void *ctx, struct slice path, const char *access_format);

/* access_log, with formats, then error_log.  0 or -ENOMEM. */
int log_config_nginx(struct slice text, log_config_fn on_log, void *ctx);

/* error_log, slowlog and php_admin_value[error_log] of php-fpm.conf and of its pools. */
void log_config_fpm(struct slice text, log_config_fn on_log, void *ctx);

#endif
