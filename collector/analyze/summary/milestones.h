/*
 * milestones.h - the moments after which things may be different: marks of the operator, and new
 * starts of php-fpm's master.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_MILESTONES_H
#define FPMSCOPE_ANALYZE_SUMMARY_MILESTONES_H

#include <stdint.h>

#include "base/array.h"
#include "base/intern.h"
#include "model/event.h"

enum { MILESTONES_MAX = 4096 };

enum milestone_kind { MILESTONE_MARK, MILESTONE_RESTART, MILESTONE_KINDS };

struct milestone {
    enum milestone_kind kind;
    int64_t time_us;
    struct slice name;        /* of a mark; borrowed from the texts */
    uint64_t requests_before; /* seen in the period before it; 0: nothing to compare with */
};

struct milestones {
    struct array list;    /* of struct milestone, in the order of time */
    struct intern *texts; /* borrowed */
};

void milestones_init(struct milestones *milestones, struct intern *texts);
void milestones_release(struct milestones *milestones);

/* Take a `mark` or `master` in; others are ignored.  `requests` seen so far. */
void milestones_feed(struct milestones *milestones, const struct event *event, uint64_t requests);

/*
 * The last milestone of this kind in `list` before `time_us` that has requests before it to compare
 * with, or NULL.
 */
const struct milestone *milestone_before(const struct milestone *list, size_t count,
                                         enum milestone_kind kind, int64_t time_us);

/* The same of any kind, the latest, when it is at most a day older than `time_us`. */
const struct milestone *milestone_lately(const struct milestone *list, size_t count,
                                         int64_t time_us);

#endif
