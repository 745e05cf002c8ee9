/*
 * fpm_config.h - pools and logs of php-fpm, from its configuration files or from `php-fpm -tt`.
 *
 *     fpm_config_init(&config);
 *     fpm_config_parse(&config, text);        for each file, or once for the output of -tt
 */
#ifndef FPMSCOPE_LOGS_FPM_CONFIG_H
#define FPMSCOPE_LOGS_FPM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
    FPM_POOLS_MAX = 256,
    FPM_INCLUDES_MAX = 16,
    FPM_TEXT_BYTES = 256,
};

enum fpm_manager { FPM_MANAGER_UNKNOWN, FPM_STATIC, FPM_DYNAMIC, FPM_ONDEMAND };

/* Numbers are -1 where the configuration says nothing; texts are empty. */
struct fpm_pool {
    char name[FPM_TEXT_BYTES];
    char listen[FPM_TEXT_BYTES];
    char access_log[FPM_TEXT_BYTES];
    char access_format[FPM_TEXT_BYTES];
    char slow_log[FPM_TEXT_BYTES];
    char status_path[FPM_TEXT_BYTES];
    enum fpm_manager manager;
    int64_t listen_backlog, max_children, start_servers, min_spare_servers, max_spare_servers;
    int64_t max_requests, process_idle_timeout_s;
    int64_t request_slowlog_timeout_s, request_terminate_timeout_s;
    int64_t memory_limit_bytes; /* 0: no limit */
    int64_t clear_env;          /* 0, 1, or -1 */
};

struct fpm_config {
    char error_log[FPM_TEXT_BYTES];
    int64_t process_control_timeout_s, emergency_restart_threshold, emergency_restart_interval_s;
    struct fpm_pool pools[FPM_POOLS_MAX];
    size_t pools_count;
    char includes[FPM_INCLUDES_MAX][FPM_TEXT_BYTES]; /* patterns: the caller reads the files */
    size_t includes_count;
    int64_t skipped; /* pools and includes above the ceilings */
};

/* A configuration that says nothing.  It is large: keep it on the heap. */
void fpm_config_init(struct fpm_config *config);

/*
 * Add what `text` says: an INI file, or what -tt prints ("[date] NOTICE: \tpm = dynamic").  A pool
 * that is known already is continued.  Pure; what is not understood is passed over.
 */
void fpm_config_parse(struct fpm_config *config, struct slice text);

/* "name = value ; comment" of one line, the value without its quotes; false: it is none. */
bool fpm_config_setting(struct slice line, struct slice *ret_name, struct slice *ret_value);

/* The pool called `name`, or NULL. */
const struct fpm_pool *fpm_config_pool(const struct fpm_config *config, const char *name);

#endif
