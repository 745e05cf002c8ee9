/* masters_running.c - walk /proc, compare titles. */
#include "cli/input/masters_running.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "base/idmap.h"
#include "base/proc.h"

enum { SCANNED_MAX = 65536, TITLE_MAX_BYTES = 4096, OPEN_FILES_MAX = 4096 };

void masters_running(const char *prefix, master_running_fn fn, void *ctx)
{
    DIR *proc = opendir("/proc");
    char title[TITLE_MAX_BYTES];
    struct dirent *entry;

    for (int scanned = 0; proc && scanned < SCANNED_MAX && (entry = readdir(proc)) != NULL;) {
        const int64_t pid = doctor_number(slice_of(entry->d_name));

        if (pid <= 0 || pid > INT32_MAX)
            continue;
        scanned++;
        if (process_command_line((pid_t) pid, title, sizeof title) == 0 &&
            slice_starts(slice_of(title), slice_of(prefix)))
            fn(ctx, pid, slice_of(title));
    }
    if (proc)
        closedir(proc);
}

static uint64_t hash_text(uint64_t hash, struct slice text)
{
    for (size_t i = 0; i < text.len_bytes; i++)
        hash = idmap_mix(hash + (unsigned char) text.ptr[i]);
    return hash;
}

/* Sockets come and go with every worker; terminals and /dev/null are no logs. */
static bool is_file(struct slice target)
{
    return slice_starts(target, SLICE("/")) && !slice_starts(target, SLICE("/dev/"));
}

/* A sum: readdir() promises no order. */
static uint64_t hash_open_files(pid_t pid)
{
    char path[64], target[PATH_MAX];
    const struct dirent *entry;
    uint64_t sum = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int) pid);
    DIR *files = opendir(path);
    for (int i = 0; files && i < OPEN_FILES_MAX && (entry = readdir(files)) != NULL; i++) {
        const ssize_t n = readlinkat(dirfd(files), entry->d_name, target, sizeof target);
        const struct slice file = {.ptr = target, .len_bytes = n > 0 ? (size_t) n : 0};

        if (is_file(file))
            sum += hash_text((uint64_t) pid, file);
    }
    if (files)
        closedir(files);
    return sum;
}

static void add_master(void *ctx, int64_t pid, struct slice title)
{
    struct masters_mark *mark = ctx;
    uid_t uid;

    mark->masters += hash_text((uint64_t) pid, title);
    if (process_user((pid_t) pid, &uid) == 0 && (uid == 0 || uid == geteuid()))
        mark->files += hash_open_files((pid_t) pid);
}

struct masters_mark masters_running_mark(void)
{
    struct masters_mark mark = {0};

    masters_running("nginx: master process", add_master, &mark);
    masters_running("php-fpm: master process", add_master, &mark);
    return mark;
}
