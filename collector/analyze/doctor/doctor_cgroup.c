/* doctor_cgroup.c - where a process is in the hierarchy, and what a limit says. */
#include "analyze/doctor/doctor_cgroup.h"

#include <stdbool.h>

#include "analyze/doctor/doctor_proc.h"

/* `name` is one of the comma-separated controllers. */
static bool has_controller(struct slice list, struct slice name)
{
    while (list.len_bytes > 0) {
        const ptrdiff_t comma = slice_index(list, ',');
        const struct slice one = comma < 0 ? list : slice_head(list, (size_t) comma);

        if (slice_equal(one, name))
            return true;
        list = slice_skip(list, one.len_bytes + 1);
    }
    return false;
}

struct doctor_cgroup_paths doctor_cgroup_paths(struct slice text)
{
    struct doctor_cgroup_paths paths = {0};
    struct slice line;

    while (doctor_next_line(&text, &line)) {
        const ptrdiff_t first = slice_index(line, ':');
        /* Without a colon: the whole line is skipped, nothing is left to find the second in. */
        const struct slice behind =
            slice_skip(line, first < 0 ? line.len_bytes : (size_t) first + 1);
        const ptrdiff_t second = slice_index(behind, ':');

        if (second < 0)
            continue;
        const struct slice path = slice_skip(behind, (size_t) second + 1);
        if (second == 0 && slice_equal(slice_head(line, (size_t) first), SLICE("0")))
            paths.v2 = path;
        else if (has_controller(slice_head(behind, (size_t) second), SLICE("memory")))
            paths.v1_memory = path;
    }
    return paths;
}

int64_t doctor_cgroup_limit(struct slice text)
{
    struct slice word;
    const int64_t bytes = doctor_next_line(&text, &word) ? doctor_number(word) : -1;

    /* Version 1 says "no limit" with LONG_MAX rounded to pages, which no machine has. */
    return bytes > (INT64_C(1) << 50) ? -1 : bytes;
}
