/* doctor_read_processes.c - walk /proc: who is php-fpm, nginx, Varnish, and who holds memory. */
#include "cli/doctor/doctor_readers.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "analyze/doctor/doctor_proc.h"
#include "base/proc.h"
#include "cli/input/small_file.h"

enum { SCANNED_MAX = 65536, TITLE_MAX_BYTES = 4096, NAME_MAX_BYTES = 64 };

static void add_to_group(struct doctor_host *host, struct slice name, int64_t rss_kib)
{
    struct doctor_group *group = NULL;

    for (size_t i = 0; i < host->groups.count && !group; i++) {
        struct doctor_group *known = array_at(&host->groups, i);

        if (slice_equal(slice_of(known->name), name))
            group = known;
    }
    if (!group) {
        const char *copy = doctor_host_text(host, name);

        group = copy ? array_add(&host->groups) : NULL;
        if (!group)
            return;
        group->name = copy;
    }
    group->processes++;
    group->rss_kib += rss_kib;
}

static void add_process(struct doctor_reading *reading, struct array *list, int64_t pid,
                        int64_t parent, struct slice name)
{
    char title[TITLE_MAX_BYTES];
    struct doctor_process *process;
    const char *copy;

    if (process_command_line((pid_t) pid, title, sizeof title) < 0)
        return;
    copy = doctor_host_text(reading->host, slice_of(title));
    process = copy ? array_add(list) : NULL;
    if (process)
        *process = (struct doctor_process){.pid = pid,
                                           .parent = parent,
                                           .name = doctor_host_text(reading->host, name),
                                           .title = copy};
}

static void look_at(struct doctor_reading *reading, int64_t pid)
{
    const int64_t rss_kib = process_rss_kib((pid_t) pid);
    struct process_stat stat;
    struct slice text, name;

    if (rss_kib < 0 || process_stat((pid_t) pid, &stat) < 0 ||
        small_file_read_proc(pid, "comm", NAME_MAX_BYTES, &text) < 0)
        return;
    name = text;
    if (name.len_bytes > 0 && name.ptr[name.len_bytes - 1] == '\n')
        name.len_bytes--;
    if (rss_kib > 0)
        add_to_group(reading->host, name, rss_kib);
    if (slice_starts(name, SLICE("php-fpm")))
        add_process(reading, &reading->fpm, pid, stat.parent, name);
    else if (slice_equal(name, SLICE("nginx")))
        add_process(reading, &reading->nginx, pid, stat.parent, name);
    else if (slice_equal(name, SLICE("varnishd")))
        add_process(reading, &reading->varnish, pid, stat.parent, name);
    small_file_free(&text);
}

void doctor_read_processes(struct doctor_reading *reading)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int scanned = 0;

    while (proc && scanned < SCANNED_MAX && (entry = readdir(proc)) != NULL) {
        const int64_t pid = doctor_number(slice_of(entry->d_name));

        if (pid <= 0 || pid > INT32_MAX)
            continue;
        scanned++;
        look_at(reading, pid);
    }
    if (proc)
        closedir(proc);
}
