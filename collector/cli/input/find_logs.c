/* find_logs.c - ask the servers that run, read their files, look where systems write. */
#include "cli/input/find_logs.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "cli/input/command_output.h"
#include "cli/input/fpm_files.h"
#include "cli/input/masters_running.h"
#include "cli/input/nginx_dump.h"
#include "logs/journal.h"
#include "logs/log_configs.h"

enum { CONFIG_MAX_BYTES = 4 << 20, NGINX_WAIT_MS = 5000 };

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

/* Up to CONFIG_MAX_BYTES of what comes out of `fd` before `deadline_ms` have passed; malloc'ed. */
static struct slice read_all(int fd, int deadline_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char *text = malloc(CONFIG_MAX_BYTES);
    size_t length = 0;
    struct timespec begin, now;
    ssize_t n = 1;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (text && n > 0 && length < CONFIG_MAX_BYTES) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        const long passed_ms =
            (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000;

        if (passed_ms >= deadline_ms || poll(&wait, 1, deadline_ms - (int) passed_ms) <= 0)
            break;
        n = read(fd, text + length, CONFIG_MAX_BYTES - length);
        length += n > 0 ? (size_t) n : 0;
    }
    return (struct slice){.ptr = text, .len_bytes = length};
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

static _Noreturn void become_nginx(int out_fd, const char *config_path)
{
    const char *option = config_path ? "-c" : NULL;
    int null = open("/dev/null", O_RDWR);

    dup2(null, 0);
    dup2(out_fd, 1);
    dup2(null, 2);
    execlp("nginx", "nginx", "-T", option, config_path, (char *) NULL);
    execl("/usr/sbin/nginx", "nginx", "-T", option, config_path, (char *) NULL);
    _exit(127);
}

int find_logs_of_nginx(const char *config_path, find_logs_fn on_log, void *ctx)
{
    struct finding finding = {.on_log = on_log, .ctx = ctx};
    int out[2], r = -ENODATA;

    if (pipe2(out, O_CLOEXEC) < 0)
        return -errno;
    pid_t child = fork();
    if (child == 0)
        become_nginx(out[1], config_path);
    close(out[1]);
    if (child > 0) {
        const struct slice text = read_all(out[0], NGINX_WAIT_MS);

        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        if (text.len_bytes > 0)
            r = log_config_nginx(text, on_config_log, &finding);
        free((char *) (uintptr_t) text.ptr);
    }
    close(out[0]);
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
