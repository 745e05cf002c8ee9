/*
 * doctor_cgroup.h - the files of control groups, version 1 and 2.  Pure.
 *
 * Formats: cgroups(7), Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
 */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_CGROUP_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_CGROUP_H

#include <stdint.h>

#include "base/slice.h"

/* The paths of /proc/PID/cgroup for version 2 ("0::/x") and for v1's memory controller; or empty.
 */
struct doctor_cgroup_paths {
    struct slice v2, v1_memory;
};
struct doctor_cgroup_paths doctor_cgroup_paths(struct slice text);

/* memory.max, memory.limit_in_bytes: bytes; -1 for "max" and for v1's "no limit" (above 2^50). */
int64_t doctor_cgroup_limit(struct slice text);

#endif
