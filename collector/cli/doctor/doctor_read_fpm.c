/* doctor_read_fpm.c - php-fpm's masters, their pools and workers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/doctor/doctor_php_info.h"
#include "analyze/doctor/doctor_proc.h"
#include "base/proc.h"
#include "cli/input/command_output.h"
#include "cli/input/fpm_files.h"
#include "cli/doctor/doctor_readers.h"
#include "cli/input/small_file.h"
#include "logs/fpm_config.h"
#include "logs/log_configs.h"

enum {
    MAPS_MAX_BYTES = 2 << 20,
    ENVIRON_MAX_BYTES = 64 << 10,
    SMALL_BYTES = 16384,
    LOG_PATHS_MAX_BYTES = 256 << 10,
};

static bool is_asked_for(const struct doctor_request *request, int64_t pid)
{
    for (size_t i = 0; i < request->fpm_pids_count; i++)
        if (request->fpm_pids[i] == pid)
            return true;
    return request->fpm_pids_count == 0;
}

/* ---- libraries ------------------------------------------------------------------------------- */

static bool is_shim(struct slice name)
{
    return slice_starts(name, SLICE("libfpmscope")) && slice_find(name, SLICE(".so")) > 0;
}

/* 1 or 0: the process has the shim mapped; -1: not readable.  Libraries go to `libraries`. */
static int read_maps(struct doctor_host *host, int64_t pid, struct array *libraries,
                     bool *ret_replaced)
{
    struct slice text, rest, path;
    bool deleted, has_shim = false;

    *ret_replaced = false;
    if (small_file_read_proc(pid, "maps", MAPS_MAX_BYTES, &text) < 0)
        return -1;
    rest = text;
    while (doctor_next_mapping(&rest, &path, &deleted)) {
        const struct slice name = doctor_base_name(path);

        if (is_shim(name)) {
            has_shim = true;
            *ret_replaced |= deleted;
        } else if (libraries &&
                   (slice_find(name, SLICE(".so")) >= 0 || slice_starts(name, SLICE("ixed")))) {
            doctor_host_add_name(host, libraries, name);
        }
    }
    if (text.len_bytes == 0)
        has_shim = false;
    const int answer = text.len_bytes == 0 ? -1 : has_shim;
    small_file_free(&text);
    return answer;
}

/* ---- its program ----------------------------------------------------------------------------- */

static const char *why_not_run(int error)
{
    static const struct {
        int error;
        const char *why;
    } reasons[] = {
        {-EXDEV, "it runs in a container (another mount namespace)"},
        {-EACCES, "it is another user's, or others than root may write its program"},
        {-ESRCH, "its program file is gone"},
        {-ETIME, "its program did not answer in time"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].error == error)
            return reasons[i].why;
    return "its program did not answer";
}

static void read_modules(struct doctor_host *host, struct doctor_master *master, int program_fd)
{
    char name[] = "php-fpm", option[] = "-m";
    char *const argv[] = {name, option, NULL};
    struct slice text, rest, module;

    if (command_output(program_fd, argv, &text) == 0) {
        rest = text;
        while (doctor_next_module(&rest, &module))
            doctor_host_add_name(host, &master->modules, module);
    }
    small_file_free(&text);
}

static void read_program(struct doctor_host *host, struct doctor_master *master)
{
    char name[] = "php-fpm", option[] = "-i";
    char *const argv[] = {name, option, NULL};
    struct doctor_php_info info;
    struct slice text = {0};
    int fd = command_open_of_process(master->pid, "php-fpm"), r = fd;

    if (fd >= 0)
        r = command_output(fd, argv, &text);
    if (r == 0) {
        info = doctor_php_info(text);
        master->version = doctor_host_text(host, info.version);
        master->zts = info.zts;
        master->debug = info.debug;
        master->jit = info.jit;
        read_modules(host, master, fd);
    }
    if (!master->version)
        master->why_no_version = why_not_run(r);
    master->other_namespace = r == -EXDEV;
    small_file_free(&text);
    if (fd >= 0)
        close(fd);
}

static void read_executable(struct doctor_host *host, struct doctor_master *master)
{
    static const struct slice deleted = SLICE(" (deleted)");
    char path[64], target[PATH_MAX];
    struct slice executable;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%lld/exe", (long long) master->pid);
    n = readlink(path, target, sizeof target);
    if (n <= 0)
        return;
    executable = (struct slice){.ptr = target, .len_bytes = (size_t) n};
    if (executable.len_bytes > deleted.len_bytes &&
        slice_equal(slice_skip(executable, executable.len_bytes - deleted.len_bytes), deleted)) {
        executable.len_bytes -= deleted.len_bytes;
        master->executable_replaced = true;
    }
    master->executable = doctor_host_text(host, executable);
}

/* ---- its configuration ------------------------------------------------------------------------
 */

static void on_log_path(void *ctx, struct slice path, const char *access_format)
{
    struct doctor_reading *reading = ctx;

    (void) access_format;
    if (reading->fpm_logs_bytes + path.len_bytes + 1 > LOG_PATHS_MAX_BYTES)
        return;
    memcpy(reading->fpm_logs + reading->fpm_logs_bytes, path.ptr, path.len_bytes);
    reading->fpm_logs_bytes += path.len_bytes;
    reading->fpm_logs[reading->fpm_logs_bytes++] = '\n';
}

/* What a file of the configuration is taken for: its settings, and the logs that it names. */
struct taking {
    struct doctor_reading *reading;
    struct fpm_config *config;
};

static void take_file(void *ctx, struct slice text)
{
    const struct taking *taking = ctx;

    fpm_config_parse(taking->config, text);
    if (taking->reading->fpm_logs)
        log_config_fpm(text, on_log_path, taking->reading);
}

static void take_pool(struct doctor_host *host, size_t master, const struct fpm_pool *from)
{
    static const enum doctor_manager managers[] = {
        [FPM_MANAGER_UNKNOWN] = DOCTOR_MANAGER_UNKNOWN,
        [FPM_STATIC] = DOCTOR_STATIC,
        [FPM_DYNAMIC] = DOCTOR_DYNAMIC,
        [FPM_ONDEMAND] = DOCTOR_ONDEMAND,
    };
    const char *name = doctor_host_text(host, slice_of(from->name));
    struct doctor_pool *pool = name ? doctor_host_add_pool(host, master, name) : NULL;

    if (!pool)
        return;
    pool->listen = doctor_host_text(host, slice_of(from->listen));
    pool->manager = managers[from->manager];
    pool->max_children = from->max_children;
    pool->max_requests = from->max_requests;
    pool->listen_backlog = from->listen_backlog;
    pool->request_terminate_timeout_s = from->request_terminate_timeout_s;
    pool->memory_limit_bytes = from->memory_limit_bytes;
}

static void read_config(struct doctor_reading *reading, size_t index, struct slice named)
{
    struct doctor_master *master = array_at(&reading->host->masters, index);
    struct fpm_config *config = calloc(1, sizeof *config);
    struct taking taking = {.reading = reading, .config = config};
    char path[PATH_MAX];

    if (config && !master->other_namespace &&
        fpm_files_path(master->pid, named, path, sizeof path)) {
        fpm_config_init(config);
        const int64_t unread = fpm_files_read(path, take_file, &taking);

        if (unread >= 0) {
            master->config = doctor_host_text(reading->host, named);
            master->config_skipped = unread + config->skipped;
            master->process_control_timeout_s = config->process_control_timeout_s;
            master->emergency_restart_threshold = config->emergency_restart_threshold;
            master->emergency_restart_interval_s = config->emergency_restart_interval_s;
        }
        for (size_t i = 0; i < config->pools_count; i++)
            take_pool(reading->host, index, &config->pools[i]);
    }
    free(config);
}

/* ---- its workers ------------------------------------------------------------------------------
 */

static int64_t read_keyed(int64_t pid, const char *file, const char *key)
{
    struct slice text;
    int64_t value;

    if (small_file_read_proc(pid, file, SMALL_BYTES, &text) < 0)
        return -1;
    value = doctor_keyed_number(text, key);
    small_file_free(&text);
    return value;
}

static void read_worker(struct doctor_host *host, size_t index,
                        const struct doctor_process *process)
{
    struct doctor_master *master = array_at(&host->masters, index);
    struct doctor_worker *worker;
    struct slice pool;
    bool replaced;
    const int shim = read_maps(host, process->pid, NULL, &replaced);

    master->workers++;
    master->workers_seen += shim >= 0;
    master->workers_with_shim += shim == 1;
    worker = array_add(&host->workers);
    if (!worker)
        return;
    (void) doctor_fpm_title(slice_of(process->title), &pool);
    *worker = (struct doctor_worker){.master = index,
                                     .pid = process->pid,
                                     .pool = doctor_host_text(host, pool),
                                     .rss_kib = process_rss_kib((pid_t) process->pid),
                                     .pss_kib = read_keyed(process->pid, "smaps_rollup", "Pss:"),
                                     .peak_rss_kib = read_keyed(process->pid, "status", "VmHWM:")};
}

static void read_workers(struct doctor_reading *reading, size_t index)
{
    const struct doctor_master *master = doctor_master_at(reading->host, index);

    for (size_t i = 0; i < reading->fpm.count; i++) {
        const struct doctor_process *process = array_at(&reading->fpm, i);

        if (process->parent == master->pid)
            read_worker(reading->host, index, process);
    }
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static void read_environment(struct doctor_host *host, struct doctor_master *master)
{
    struct slice text;
    struct slice value;

    if (small_file_read_proc(master->pid, "environ", ENVIRON_MAX_BYTES, &text) < 0)
        return;
    value = doctor_environment(text, "LD_PRELOAD");
    master->preload = doctor_host_text(host, value);
    small_file_free(&text);
}

static void read_master(struct doctor_reading *reading, const struct doctor_process *process,
                        struct slice config)
{
    struct doctor_host *host = reading->host;
    struct doctor_master *master = doctor_host_add_master(host, process->pid);
    struct slice text;

    if (!master)
        return;
    master->name = process->name;
    read_executable(host, master);
    read_program(host, master);
    master->shim = read_maps(host, master->pid, &master->libraries, &master->shim_replaced);
    read_environment(host, master);
    if (small_file_read_proc(master->pid, "oom_score_adj", SMALL_BYTES, &text) == 0) {
        master->oom_score_adj = strtol(text.ptr, NULL, 10);
        small_file_free(&text);
    }
    doctor_read_cgroup(host, master->pid, &master->cgroup);
    read_config(reading, host->masters.count - 1, config);
    read_workers(reading, host->masters.count - 1);
}

static void read_ld_so_preload(struct doctor_host *host)
{
    struct slice text, line;

    if (small_file_read("/etc/ld.so.preload", SMALL_BYTES, &text) < 0)
        return;
    struct slice rest = text;
    if (doctor_next_line(&rest, &line))
        host->ld_so_preload = doctor_host_text(host, line);
    small_file_free(&text);
}

void doctor_read_fpm(struct doctor_reading *reading)
{
    reading->fpm_logs = malloc(LOG_PATHS_MAX_BYTES);
    for (size_t i = 0; i < reading->fpm.count; i++) {
        const struct doctor_process *process = array_at(&reading->fpm, i);
        struct slice config;

        if (doctor_fpm_title(slice_of(process->title), &config) == DOCTOR_TITLE_MASTER &&
            is_asked_for(reading->request, process->pid))
            read_master(reading, process, config);
    }
    read_ld_so_preload(reading->host);
}
