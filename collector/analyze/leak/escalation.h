/*
 * escalation.h - which route should be sampled more finely, because it leaks and nobody knows
 * where.
 *
 * The exact ledger finds leaks that are too small to be sampled at the usual interval: they have a
 * route and no stack.  One such route at a time is chosen, the one that keeps most; its wish ends
 * when its stack is named or after ESCALATION_HITS_MAX hits of it, and then it is not chosen again.
 *
 * Workers compare paths, not routes (a route may be a template): the wish is the longest beginning
 * that all paths of the route seen so far have in common, and names one path while there is one.
 *
 * Pure: events in, a wish out; no clock, no files.  One thread.  Memory is the leak analyzer's for
 * 256 workers.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_ESCALATION_H
#define FPMSCOPE_ANALYZE_LEAK_ESCALATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/event.h"

enum {
    ESCALATION_INTERVAL_BYTES = 8192, /* 23 samples of a 1 kB leak in 200 hits */
    ESCALATION_HITS_MAX = 2000,
    ESCALATION_PATH_BYTES = 512, /* what of a path is compared */
};

/* An empty path: nothing is wished. */
struct escalation_wish {
    struct slice path; /* borrowed, valid until the next call */
    bool whole_path;   /* this path only; else all that begin with it */
};

struct escalation;

/* NULL when memory is short. */
struct escalation *escalation_new(void);
void escalation_free(struct escalation *escalation);

/* The next event of the stream, as leak_feed() and the summary want it; `uri` as it came. */
void escalation_feed(struct escalation *escalation, const struct event *event);

/* Choose, go on, or end; costs a leak report, so once in some seconds. */
struct escalation_wish escalation_choose(struct escalation *escalation);

#endif
