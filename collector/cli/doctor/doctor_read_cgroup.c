/* doctor_read_cgroup.c - the tightest memory limit between a process and the root of its groups. */
#include <stdio.h>
#include <string.h>

#include "analyze/doctor/doctor_cgroup.h"
#include "analyze/doctor/doctor_proc.h"
#include "cli/doctor/doctor_readers.h"
#include "cli/input/small_file.h"

enum { SMALL_BYTES = 16384, LEVELS_MAX = 32 };

/* What the two versions call the same things. */
struct cgroup_files {
    int version;
    const char *mounts[3];
    const char *limit, *used, *stat, *reclaimable, *kills_file, *kills;
};

static const struct cgroup_files versions[] = {
    {2,
     {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL},
     "memory.max",
     "memory.current",
     "memory.stat",
     "inactive_file",
     "memory.events",
     "oom_kill"},
    {1,
     {"/sys/fs/cgroup/memory", NULL, NULL},
     "memory.limit_in_bytes",
     "memory.usage_in_bytes",
     "memory.stat",
     "total_inactive_file",
     "memory.oom_control",
     "oom_kill"},
};

static int read_in(const char *directory, const char *name, struct slice *ret_text)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int) sizeof path)
        return -1;
    return small_file_read(path, SMALL_BYTES, ret_text);
}

static int64_t read_amount(const char *directory, const char *name)
{
    struct slice text;
    int64_t bytes;

    if (read_in(directory, name, &text) < 0)
        return -1;
    bytes = doctor_cgroup_limit(text);
    small_file_free(&text);
    return bytes;
}

static int64_t read_keyed(const char *directory, const char *name, const char *key)
{
    struct slice text;
    int64_t value;

    if (read_in(directory, name, &text) < 0)
        return -1;
    value = doctor_keyed_number(text, key);
    small_file_free(&text);
    return value;
}

static void look_at(struct doctor_host *host, const struct cgroup_files *files,
                    const char *directory, struct doctor_cgroup *group)
{
    const int64_t limit_bytes = read_amount(directory, files->limit);
    const int64_t kills = read_keyed(directory, files->kills_file, files->kills);
    struct slice text;

    if (read_in(directory, files->used, &text) == 0) {
        group->version = files->version;
        small_file_free(&text);
    }
    /* Version 2 counts the kills below a group in it, too: the innermost that tells is enough. */
    if (group->oom_kills < 0 && kills >= 0)
        group->oom_kills = kills;
    if (limit_bytes < 0 || (group->limit_bytes >= 0 && group->limit_bytes <= limit_bytes))
        return;
    group->limit_bytes = limit_bytes;
    group->used_bytes = read_amount(directory, files->used);
    group->reclaimable_bytes = read_keyed(directory, files->stat, files->reclaimable);
    group->path = doctor_host_text(host, slice_of(directory));
}

/* The group and all above it.  In a container the path may be the host's: then only the mount. */
static void walk_up(struct doctor_host *host, const struct cgroup_files *files, const char *mount,
                    struct slice path, struct doctor_cgroup *group)
{
    char directory[PATH_MAX];

    if (slice_find(path, SLICE("..")) >= 0)
        path.len_bytes = 0;
    for (int level = 0; level < LEVELS_MAX; level++) {
        while (path.len_bytes > 0 && path.ptr[path.len_bytes - 1] == '/')
            path.len_bytes--;
        if (snprintf(directory, sizeof directory, "%s%.*s", mount, (int) path.len_bytes,
                     path.ptr ? path.ptr : "") < (int) sizeof directory)
            look_at(host, files, directory, group);
        if (path.len_bytes == 0)
            break;
        while (path.len_bytes > 0 && path.ptr[path.len_bytes - 1] != '/')
            path.len_bytes--;
    }
}

void doctor_read_cgroup(struct doctor_host *host, int64_t pid, struct doctor_cgroup *ret_group)
{
    struct doctor_cgroup_paths paths;
    struct slice text;

    if (small_file_read_proc(pid, "cgroup", SMALL_BYTES, &text) < 0)
        return;
    paths = doctor_cgroup_paths(text);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        const struct slice path = versions[i].version == 2 ? paths.v2 : paths.v1_memory;

        for (size_t k = 0; path.len_bytes > 0 && versions[i].mounts[k]; k++)
            walk_up(host, &versions[i], versions[i].mounts[k], path, ret_group);
    }
    small_file_free(&text);
}
