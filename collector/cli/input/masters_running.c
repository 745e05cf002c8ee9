/* masters_running.c - walk /proc, compare titles. */
#include "cli/input/masters_running.h"

#include <dirent.h>

#include "analyze/doctor/doctor_proc.h"
#include "base/idmap.h"
#include "base/proc.h"

enum { SCANNED_MAX = 65536, TITLE_MAX_BYTES = 4096 };

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

/* A sum: readdir() promises no order. */
static void add_master(void *ctx, int64_t pid, struct slice title)
{
    uint64_t *mark = ctx, hash = (uint64_t) pid;

    for (size_t i = 0; i < title.len_bytes; i++)
        hash = idmap_mix(hash + (unsigned char) title.ptr[i]);
    *mark += hash;
}

uint64_t masters_running_mark(void)
{
    uint64_t mark = 0;

    masters_running("nginx: master process", add_master, &mark);
    masters_running("php-fpm: master process", add_master, &mark);
    return mark;
}
