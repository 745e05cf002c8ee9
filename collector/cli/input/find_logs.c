/* find_logs.c - ask the servers that run, read their files, look where systems write. */
#include "cli/input/find_logs.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "cli/input/command_output.h"
#include "cli/input/fpm_files.h"
#include "cli/input/masters_running.h"
#include "cli/input/nginx_dump.h"
#include "logs/journal.h"
#include "logs/log_configs.h"

static const char *const fpm_configs[] = {
    "/etc/php/*/fpm/php-fpm.conf",
    "/etc/php/*/fpm/pool.d/*.conf",
    "/etc/php-fpm.conf",
    "/etc/php-fpm.d/*.conf",
    "/etc/opt/remi/*/php-fpm.d/*.conf",
    "/usr/local/etc/php-fpm.conf",
    "/usr/local/etc/php-fpm.d/*.conf",
};

static const char *const system_logs[] = {
    "/var/log/kern.log",
    "/var/log/syslog",
    "/var/log/messages",
};

static const char varnishncsa_log[] = "/var/log/varnish/varnishncsa.log";

struct finding {
    find_logs_fn on_log;
    void *ctx;
    size_t nginx_count; /* that told their configuration */
};

static void on_config_log(void *ctx, struct slice slice, const char *access_format)
{
    const struct finding *finding = ctx;
    char path[PATH_MAX];

    if (slice.len_bytes >= sizeof path)
        return;
    memcpy(path, slice.ptr, slice.len_bytes);
    path[slice.len_bytes] = '\0';
    finding->on_log(finding->ctx, path, access_format);
}

static void take_fpm_file(void *ctx, struct slice text)
{
    log_config_fpm(text, on_config_log, ctx);
}

void find_logs_of_fpm(const char *config_path, find_logs_fn on_log, void *ctx)
{
    struct finding finding = {.on_log = on_log, .ctx = ctx};

    fpm_files_read(config_path, take_fpm_file, &finding);
}

int find_logs_of_nginx(const char *config_path, find_logs_fn on_log, void *ctx)
{
    struct finding finding = {.on_log = on_log, .ctx = ctx};
    struct slice text;
    int r = -ENODATA;

    nginx_dump_of_file(config_path, &text);
    if (text.len_bytes > 0)
        r = log_config_nginx(text, on_config_log, &finding);
    free((char *) (uintptr_t) text.ptr);
    return r;
}

/* The nginx that runs, as it was started. */
static void on_nginx(void *ctx, int64_t pid, struct slice title)
{
    struct finding *finding = ctx;
    struct slice text;

    if (nginx_dump(pid, title, &text) == 0) {
        log_config_nginx(text, on_config_log, finding);
        finding->nginx_count++;
    }
    free((char *) (uintptr_t) text.ptr);
}

static void find_nginx(struct finding *finding)
{
    masters_running("nginx: master process", on_nginx, finding);
    if (finding->nginx_count == 0)
        find_logs_of_nginx(NULL, finding->on_log, finding->ctx);
}

/* The php-fpm that runs; one that is somebody else's, or in a container, names other files. */
static void on_fpm(void *ctx, int64_t pid, struct slice title)
{
    struct finding *finding = ctx;
    struct slice named;
    char path[PATH_MAX];
    const int program_fd = command_open_of_process(pid, "php-fpm");

    if (program_fd < 0)
        return;
    close(program_fd);
    if (doctor_fpm_title(title, &named) == DOCTOR_TITLE_MASTER &&
        fpm_files_path(pid, named, path, sizeof path))
        fpm_files_read(path, take_fpm_file, finding);
}

static void find_fpm(const char *pattern, const struct finding *finding)
{
    glob_t found;

    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            find_logs_of_fpm(found.gl_pathv[i], finding->on_log, finding->ctx);
    globfree(&found);
}

/* Where no file has what the kernel says, the journal has. */
static void find_system_logs(const struct finding *finding)
{
    bool any = false;

    for (size_t i = 0; i < sizeof system_logs / sizeof *system_logs; i++) {
        if (access(system_logs[i], R_OK) < 0)
            continue;
        finding->on_log(finding->ctx, system_logs[i], NULL);
        any = true;
    }
    if (!any && journal_exists())
        finding->on_log(finding->ctx, JOURNAL_OF_HOST, NULL);
    if (access(varnishncsa_log, R_OK) == 0)
        finding->on_log(finding->ctx, varnishncsa_log, NULL);
}

void find_logs(find_logs_fn on_log, void *ctx)
{
    struct finding finding = {.on_log = on_log, .ctx = ctx};

    find_nginx(&finding);
    masters_running("php-fpm: master process", on_fpm, &finding);
    for (size_t i = 0; i < sizeof fpm_configs / sizeof *fpm_configs; i++)
        find_fpm(fpm_configs[i], &finding);
    find_system_logs(&finding);
}
