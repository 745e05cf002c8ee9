/*
 * crash_groups.h - deaths with something in common: the same function of the same library under the
 * same PHP frame, or, when the worker could not speak, the same signal from the same side on the
 * same route.
 *
 * Pure: reads the result of a summary, which must outlive the groups.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_CRASH_GROUPS_H
#define FPMSCOPE_ANALYZE_SUMMARY_CRASH_GROUPS_H

#include "analyze/summary/summary.h"

enum { CRASH_GROUP_ROUTES = 6 };

struct crash_group_route {
    struct slice route;
    size_t count;
};

struct crash_group {
    const struct summary_crash *example; /* the first of them */
    size_t count;
    struct slice function; /* "memset (libc.so.6)", "libc.so.6"; empty when not known */
    struct slice frame;    /* the PHP frame that they share; empty when not known */
    struct crash_group_route routes[CRASH_GROUP_ROUTES]; /* most deaths first */
    size_t route_count, routes_not_kept; /* deaths on routes beyond the room above */
    int64_t first_us, last_us;
    /* The last one before the first death, if the period has requests before it; else NULL. */
    const struct milestone *after_mark, *after_restart;
};

struct crash_groups {
    struct crash_group *items; /* most deaths first, then the newest first */
    size_t count;
};

/* 0 or -ENOMEM.  Release with crash_groups_release(). */
int crash_groups_make(const struct summary_result *result, struct crash_groups *ret_groups);
void crash_groups_release(struct crash_groups *groups);

#endif
