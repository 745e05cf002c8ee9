/* log_configs.c - what nginx_config found, and the lines of php-fpm's files. */
#include "logs/log_configs.h"

#include "logs/fpm_config.h"
#include "logs/nginx_config.h"

static bool is_file(struct slice path)
{
    return path.len_bytes > 1 && path.ptr[0] == '/' && slice_index(path, '$') < 0 &&
           !slice_starts(path, SLICE("/dev/")) && !slice_starts(path, SLICE("/proc/"));
}

static void give(struct slice path, const char *access_format, log_config_fn on_log, void *ctx)
{
    if (is_file(path))
        on_log(ctx, path, access_format);
}

/* ---- nginx -----------------------------------------------------------------------------------
 */

/* "combined" needs no text: its lines are recognised. */
static const char *format_of(const struct nginx_config *config, const struct nginx_access_log *log)
{
    return strcmp(log->format, "combined") == 0 ? NULL : nginx_config_format(config, log->format);
}

int log_config_nginx(struct slice text, log_config_fn on_log, void *ctx)
{
    struct nginx_config config;
    int r = nginx_config_parse(text, &config);

    for (size_t i = 0; r == 0 && i < config.access_logs_count; i++) {
        const struct nginx_access_log *log = &config.access_logs[i];

        give(slice_of(log->path), format_of(&config, log), on_log, ctx);
    }
    for (size_t i = 0; r == 0 && i < config.error_logs_count; i++)
        give(slice_of(config.error_logs[i].path), NULL, on_log, ctx);
    nginx_config_release(&config);
    return r;
}

/* ---- php-fpm ---------------------------------------------------------------------------------
 */

static bool names_a_log(struct slice key)
{
    static const struct slice keys[] = {
        {"error_log", 9},
        {"slowlog", 7},
        {"php_admin_value[error_log]", 26},
        {"php_value[error_log]", 20},
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (slice_equal(key, keys[i]))
            return true;
    return false;
}

void log_config_fpm(struct slice text, log_config_fn on_log, void *ctx)
{
    struct slice name, value;

    while (text.len_bytes > 0) {
        const ptrdiff_t end = slice_index(text, '\n');
        const struct slice line = slice_head(text, end < 0 ? text.len_bytes : (size_t) end);

        if (fpm_config_setting(line, &name, &value) && names_a_log(name))
            give(value, NULL, on_log, ctx);
        text = slice_skip(text, line.len_bytes + 1);
    }
}
