/*
 * summary.h - everything that a period says, put together: routes, modules, crashes, workers.
 *
 * Picture five ledgers that read the same stream of events side by side (leak, route, stack, death,
 * worker); when the stream ends, summary_finish() reads them across and draws the conclusions: this
 * route leaks, in that module, allocated in this library; this death was that request.
 *
 *     struct summary *summary = summary_new(&options);
 *     for each event of the period, in the order of time: summary_add_event(summary, event);
 *     const struct summary_result *result = summary_finish(summary);
 *
 * Pure: no clock, no file, no printing.  Memory is bounded by the limits below; what did not fit is
 * counted in the result.  Not thread-safe.
 */
#ifndef FPMSCOPE_ANALYZE_SUMMARY_SUMMARY_H
#define FPMSCOPE_ANALYZE_SUMMARY_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/summary/memory_parts.h"
#include "analyze/summary/milestones.h"
#include "base/slice.h"
#include "model/event.h"

enum {
    SUMMARY_STACK_FRAMES = 40, /* of each kind; what a report shows of them is its decision */
    SUMMARY_ROUTES_MAX = 4096,
    SUMMARY_DEATHS_MAX = 65536,
    SUMMARY_WORKERS_MAX = 65536,
    SUMMARY_MODULE_ROUTES = 8,
    SUMMARY_MODULE_LIBRARIES = 4,
    SUMMARY_HOLDERS = 8, /* modules told per route or death */
    SUMMARY_POOLS_MAX = 64,
};

/* A text of the result; borrowed from the summary, valid until summary_free(). */
struct summary_frames {
    struct slice items[SUMMARY_STACK_FRAMES];
    size_t count;
};

/* A module that holds memory, and where most of it was taken. */
struct summary_holder {
    struct slice module, tier;
    double share;                   /* 0..1 of all, by stacks that are blamed on it */
    int64_t bytes, inclusive_bytes; /* of these stacks; of all that pass through it */
    struct slice frame;             /* as summary_route.blamed_frame */
    struct summary_frames stack;    /* the one that holds most */
};

/* Who took what the Zend heap grew by in one request; all 0: less than two chunks. */
struct summary_grown {
    const struct summary_holder *growers; /* most first */
    size_t grower_count;
    int64_t bytes; /* of all */
};

struct summary_route {
    struct slice route;
    struct slice verdict; /* leak, suspect, peak, ..., clean: the words of leak verdicts */
    double confidence;    /* that it leaks, 0..1 */
    uint64_t hits;
    uint64_t judged_hits;  /* hits in workers old enough to tell; leak and suspect only */
    uint64_t leaking_hits; /* of these: hits that kept memory */
    uint64_t workers;      /* that served it */
    uint64_t pool_hits, pool_requests; /* in the pool that served it most; of that pool, all */
    uint64_t errors;                   /* answers of 500 and above */
    double bytes_per_request;          /* kept after each request, native */
    uint64_t pool_workers;             /* of that pool, that lived at its last request */
    double pool_requests_per_hour;     /* of that pool, pauses left out; 0: not known */
    int64_t peak_bytes;                /* largest Zend peak of one request */
    int64_t typical_peak_bytes;        /* median */
    int64_t p95_peak_bytes;
    uint64_t armed_requests; /* whose heap was sampled: what `holders` rests on */
    const struct summary_holder
        *holders; /* at the peak, most first; bytes are shares of peak_bytes */
    size_t holder_count;
    int64_t module_peak_bytes; /* of the peak, what stacks of `module` took; verdict peak only */
    struct slice module, tier; /* blamed; empty when no stack names one */
    struct slice allocated_in; /* library of the innermost native frame */
    struct slice blamed_frame; /* "Acme\\ErpSync\\Model\\Push::send (Push.php:41)" */
    struct slice php_leaf;     /* innermost PHP function, often internal: "DOMDocument::save" */
    struct summary_frames stack;
    struct slice reason; /* why this verdict, in the analyzer's words; may be empty */
    int64_t first_seen_us, last_seen_us;
    int64_t began_us;                    /* the growth of a leak or suspect; 0: not known */
    const struct milestone *began_after; /* the last one before that, not a day older; or NULL */
};

struct summary_module {
    struct slice module, tier;
    double bytes_per_request; /* sum over its leaking routes */
    int64_t held_at_peak_bytes, held_at_peak_inclusive_bytes;
    uint64_t crashes;
    struct slice routes[SUMMARY_MODULE_ROUTES];
    size_t route_count;
    /* Libraries that allocated what its leaking routes keep, worst first: who asked is the module.
     */
    struct slice allocated_in[SUMMARY_MODULE_LIBRARIES];
    size_t allocated_in_count;
    int64_t first_seen_us, last_seen_us;
};

struct summary_crash {
    int64_t time_us;
    int64_t pid, start_ticks, seq;
    struct slice pool, method, uri, route, request_id, host;
    int signo;
    int code;            /* exit status when signo is 0 */
    struct slice killer; /* self, outside, kernel, master; empty: not known */
    bool stack_overflow, in_request, response_sent;
    bool has_report;       /* the worker itself spoke: siginfo, stacks */
    struct slice faulting; /* "libc.so.6+0x167ad8" */
    struct slice module, tier;
    struct slice blamed_frame;    /* as in summary_route */
    struct slice culprit_library; /* the library to blame for a crash in native code */
    struct summary_frames php_stack, native_stack;
    int64_t rss_kib, zend_peak_bytes, live_bytes, age_us;
    int client_status;          /* 0: no access line joined */
    struct summary_grown grown; /* in the request it died in */
};

struct summary_worker {
    int64_t pid, start_ticks, rss_kib, age_us;
    uint64_t requests;
    struct slice pool, in_flight; /* URI in flight, empty when idle */
    bool has_parts;               /* what its memory is made of is known, as of `parts_us` */
    struct memory_parts parts;
    int64_t parts_us;
    int64_t last_seen_us;
};

/* A pool, shown by the worker of it whose memory says most. */
struct summary_memory {
    struct slice pool;
    int64_t pid, start_ticks, at_us;
    uint64_t requests; /* served by that worker in the period */
    int64_t rss_bytes;
    bool measured; /* what its allocator keeps is known: parts.trim_bytes, parts.holes_bytes */
    bool fragmented;
    struct memory_parts parts;
    uint64_t workers, fragmented_workers; /* of the pool, dead ones too */
    int64_t pool_trim_bytes;              /* sum over the fragmented ones */
};

struct summary_result {
    int64_t from_us, to_us;
    const struct summary_route *routes; /* worst first */
    size_t route_count;
    const struct summary_module *modules; /* worst first */
    size_t module_count;
    const struct summary_crash *crashes; /* in time order */
    size_t crash_count;
    const struct milestone *milestones; /* in time order */
    size_t milestone_count;
    const struct summary_worker *workers; /* that live, by RSS, largest first */
    size_t worker_count;
    const struct summary_memory *memory; /* a row for each pool */
    size_t memory_count;
    uint64_t requests;
    uint64_t dropped_messages;
    uint64_t unconnected_workers;            /* forked, but never heard of */
    uint64_t not_kept;                       /* rows beyond the limits above */
    int64_t worker_growth_bytes_per_request; /* of every request, whatever the route; 0: none */
};

struct module_rules;

struct summary_options {
    int64_t from_us, to_us;           /* of the period; 0 = as the events say */
    int64_t now_us;                   /* age of living workers; 0 = the last event */
    const struct module_rules *rules; /* borrowed; NULL: strings alone name the modules */
};

struct summary;

/* NULL when memory ran out. */
struct summary *summary_new(const struct summary_options *options);
void summary_free(struct summary *summary);

/* Events in the order of time; a stack before its first use. */
void summary_add_event(struct summary *summary, const struct event *event);

/* A conclusion of the gateway's about a dead worker: who killed it, what the client got. */
struct summary_death_note {
    int64_t pid, time_us; /* of the death, within 2 s */
    struct slice killer;
    int client_status;
    bool stack_overflow;
};
void summary_note_death(struct summary *summary, const struct summary_death_note *note);

/* Draw the conclusions; once, after the last event.  Valid until summary_free(). */
const struct summary_result *summary_finish(struct summary *summary);

#endif
