/*
 * leak.h - which routes leak native memory: events in, verdicts out.
 *
 * Two ledgers and a veto.  The exact ledger knows by how much each request of a known route changed
 * the worker's live bytes; a sequential test on the signs of these changes detects.  The sampled
 * ledger knows which blocks of which stack survive; it names the stack and confirms.  The veto is
 * conservation: what a route is claimed to leak must be found again in the growth of the floor of
 * the workers that served it.  What is only a cache, a delayed free or a periodic clean-up fails
 * it.
 *
 * Pure: no clock, no files, no globals.  One call per event, constant time but for a tick every so
 * many requests; all memory is allocated at birth or has a ceiling given at birth.  One thread.
 * Nothing is serialised: after a restart of the collector the state comes back by feeding the
 * recent events of the store once more (half a million requests take a second).
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/event.h"

enum leak_verdict {
#define LEAK_VERDICT(name, meaning) LEAK_VERDICT_##name,
#include "analyze/leak/leak_verdicts.def"
    LEAK_VERDICT_COUNT
};

/* "bounded_cache", and what it means, for people. */
const char *leak_verdict_name(enum leak_verdict verdict);
const char *leak_verdict_meaning(enum leak_verdict verdict);

/* Ceilings and defaults; 0 takes the default in brackets.  A `hdr` event overrides the last two. */
struct leak_options {
    size_t max_routes;      /* [256, at most 4095] the least used route makes room */
    size_t max_workers;     /* [64] alive at once; the one silent for longest makes room */
    size_t max_blocks;      /* [4096] live sampled blocks */
    size_t max_pairs;       /* [2048] (route, stack) pairs */
    int64_t interval_bytes; /* [65536] mean sampling interval of the stream */
    int64_t max_requests;   /* [0] requests in a worker's life, 0 = not known, learned from lives */
};

/* For a host with many pages and pools: what every view of its events uses. */
extern const struct leak_options leak_options_of_host;

struct leak_analyzer;

/* `options` may be NULL.  NULL when memory is short. */
struct leak_analyzer *leak_analyzer_new(const struct leak_options *options);
void leak_analyzer_free(struct leak_analyzer *analyzer);

/*
 * Feed the next event, in the order of the stream.  Used: hdr, start, req, stk, smp, fre, end,
 * exit; others are ignored.  `event->uri` is the route: template it before (query string, ids).
 * Absurd or repeated input is counted (struct leak_coverage), never believed.
 */
void leak_feed(struct leak_analyzer *analyzer, const struct event *event);

/* Bytes on the heap that the analyzer holds. */
size_t leak_analyzer_bytes(const struct leak_analyzer *analyzer);

enum { LEAK_STACKS_MAX = 4 };

/* Why the verdict is what it is, in numbers; leak_text.h makes sentences of them. */
struct leak_evidence {
    uint64_t old_hits;      /* in workers old enough to count */
    uint64_t growing_hits;  /* of these: those that left more than they found */
    double mean_bytes;      /* per old hit, all of them */
    double found_share;     /* of the claim, in the growth of the floor; -1 = not tested */
    double found_error;     /* its standard error */
    double returned_share;  /* of the growth, given back within four requests */
    double rss_kib_per_100; /* growth of the RSS floor, fragmentation only */
    double peak_factor;     /* largest request against the usual one, peak only */
    bool mmap;              /* the claim is about mappings, not about the heap */
    bool sparse;            /* only some hits leak */
    bool on_errors;         /* only failed requests leak */
    const char *because;    /* what confirms a leak, or excuses the growth; a clause, or "" */
};

struct leak_route {
    struct slice uri; /* "*" = every route */
    enum leak_verdict verdict;
    double confidence;        /* probability that the route leaks, from measured rates */
    double bytes_per_request; /* kept per hit; 0 when nothing is claimed */
    int64_t flagged_at; /* 0-based number of the req event after which it first was a leak, -1 */
    int64_t flagged_us; /* its time */
    int64_t first_seen_us, last_seen_us;
    int64_t began_us; /* first growth of what is claimed; the route's first request when it never
                       * looked healthy; 0: nothing is claimed */
    uint64_t hits, workers; /* workers: lives that served the route often enough to tell */
    size_t stack_count;
    int64_t stacks[LEAK_STACKS_MAX]; /* most likely first */
    struct leak_evidence evidence;
};

struct leak_stack {
    int64_t id;
    enum leak_verdict verdict; /* leak, suspect or shared_growth */
    double confidence;
    double bytes; /* estimate of what its survivors hold now */
};

/* What could not be used; all counts are events. */
struct leak_coverage {
    uint64_t requests;
    uint64_t requests_without_ledger; /* l0 or l1 missing */
    uint64_t absurd_requests;         /* numbers that no process can have */
    uint64_t late_requests;           /* repeated, or older than what was seen of the worker */
    uint64_t missed_requests;         /* gaps in seq: lost messages */
    uint64_t warm_restarts;           /* the whole pool warmed up again: a deploy, a flush */
    uint64_t evicted_routes, evicted_workers, evicted_pairs;
    uint64_t refused_blocks, orphan_samples;
};

struct leak_report {
    size_t route_count, stack_count;
    struct leak_route *routes; /* worst first */
    struct leak_stack *stacks;
    struct leak_coverage coverage;
};

/*
 * The verdicts now.  The report borrows the routes' text from the analyzer: free it before feeding
 * on.  Calling this does not change later verdicts.  NULL when memory is short.
 */
struct leak_report *leak_verdicts(struct leak_analyzer *analyzer);
void leak_report_free(struct leak_report *report);

#endif
