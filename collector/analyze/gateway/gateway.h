/*
 * gateway.h - why requests ended in a 5xx: events and log lines in, one explained row per request
 * out.  Pure: no files, no clock, no printing.
 *
 * Picture two heaps of paper.  On the first pass (SCAN) everything that is bad by itself is put on
 * the heap: failed access lines, nginx errors, worker deaths, kernel lines, Varnish's failed
 * fetches.  Then the engine knows which seconds and which URIs matter, and the second pass over the
 * same input (GATHER) adds the neighbours: the 200 that hid a crash, the other hop's line, the
 * requests that held the workers.  Everything else is forgotten at once, so memory follows the
 * number of failures, not the size of the logs, and has a ceiling.
 *
 *     struct gateway *gateway = gateway_new(NULL);
 *     gateway_pass(gateway, GATEWAY_SCAN);     feed everything
 *     gateway_pass(gateway, GATEWAY_GATHER);   feed everything again
 *     const struct gateway_report *report = gateway_finish(gateway);
 *
 * Input that can be read only once (a pipe) is fed between gateway_pass(GATEWAY_BOTH) and the end,
 * after the other files' scan: lines that fold with an earlier failure are still found.
 *
 * Order of files does not matter; within one source, time order is expected.  Texts of events are
 * copied.  Not thread-safe; the report and its texts live as long as the engine.
 */
#ifndef FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_H
#define FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/event.h"
#include "model/log_event.h"

enum {
    GATEWAY_PIDS_MAX = 8,
    GATEWAY_LINES_MAX = 16,
    GATEWAY_EVIDENCE_MAX = 12,
    GATEWAY_FILES_MAX = 256, /* sources beyond this share one clock */
};

enum gateway_verdict {
#define VERDICT(code, meaning) VERDICT_##code,
#include "analyze/gateway/verdicts.def"
    VERDICT_COUNT
};

enum gateway_blame { GUILTY, INNOCENT, NEUTRAL };

enum gateway_reason {
    REASON_NONE,
    REASON_BACKLOG_FULL,
    REASON_CONNECT_TIMEOUT,
    REASON_EMERGENCY_RESTART,
    REASON_RELOAD,
    REASON_RESTART,
    REASON_COUNT
};

enum gateway_killer { KILLER_NONE, KILLER_OUTSIDE, KILLER_SELF, KILLER_KERNEL, KILLER_MASTER };
enum gateway_hop { HOP_NONE, HOP_FASTCGI, HOP_FRONT_PROXY };
enum gateway_join { JOIN_EXACT, JOIN_STRONG, JOIN_AMBIGUOUS };

/* One row of the decision table; see verdicts.def. */
struct gateway_rule {
    enum gateway_verdict verdict;
    const char *condition;
    enum gateway_blame blame;
    enum gateway_reason reason;
    const char *sentence, *advice;
};
extern const struct gateway_rule gateway_rules[]; /* ends with condition NULL */

/* Names as they appear in JSON; KILLER_NONE, REASON_NONE and HOP_NONE are "". */
const char *gateway_verdict_name(enum gateway_verdict verdict);
const char *gateway_verdict_meaning(enum gateway_verdict verdict);
const char *gateway_reason_name(enum gateway_reason reason);
const char *gateway_killer_name(enum gateway_killer killer);
const char *gateway_hop_name(enum gateway_hop hop);
const char *gateway_join_name(enum gateway_join join);

struct gateway_line {
    int file;
    int64_t offset_bytes;
};

/*
 * One request, or one death without a request that failed.  Times are UTC on the events' clock; a
 * line that is stamped to the second gives the middle of that second, and its width as precision.
 */
struct gateway_row {
    int64_t time_us, time_precision_us;
    int64_t duration_us; /* -1: not known */
    struct slice method, uri, host, remote_addr, user_agent, request_id, port, country;
    struct slice handler, back_handler; /* of the outermost and the innermost hop */
    int client_status;                  /* what the outermost hop logged; 0: no access line */
    int upstream_count;
    int upstream_status[LOG_UPSTREAMS_MAX];
    int64_t body_bytes; /* -1: not known */

    enum gateway_verdict verdict;
    const struct gateway_rule *rule;
    bool innocent, stack_overflow;
    enum gateway_join join;
    int candidates; /* how many requests the evidence could belong to; 1 when it is certain */
    int pid_count;
    int64_t pids[GATEWAY_PIDS_MAX];
    struct slice pool, signal, shared_object;
    struct slice module, frame; /* whose PHP code did it; empty when nobody told */
    enum gateway_killer killer;
    enum gateway_reason reason;
    enum gateway_hop hop;
    struct slice culprit; /* what an innocent request suffered from; may be empty */
    struct slice sentence, advice;
    int access_line_count; /* hops that left a line */
    int line_count;        /* lines of all logs that speak of it */
    struct gateway_line lines[GATEWAY_LINES_MAX];
    int evidence_count;
    struct slice evidence[GATEWAY_EVIDENCE_MAX];
};

/* What was found out about one source's clock. */
struct gateway_clock {
    int file;         /* of a log: the event stream is what logs are compared with */
    int64_t shift_us; /* added to its times, or that would have to be */
    int samples;      /* how many entries agreed on it */
    bool corrected;   /* false with shift_us != 0: suspected only, not applied */
};

struct gateway_report {
    const struct gateway_row *rows; /* in order of time */
    size_t row_count;
    const struct gateway_row *deaths; /* of workers, without a 5xx row of their own */
    size_t death_count;
    size_t count_by_verdict[VERDICT_COUNT]; /* of rows */
    const struct gateway_clock *clocks;     /* only those that are off */
    size_t clock_count;
    uint64_t dropped; /* what found no room under the ceilings */
    const struct slice *notes;
    size_t note_count;
};

/* Ceilings; 0 in a field means its default. */
struct gateway_options {
    size_t max_rows;       /* access lines kept: 400,000 */
    size_t max_text_bytes; /* texts kept: 512 MiB */
};

struct gateway;

/* `options` may be NULL.  NULL without memory. */
struct gateway *gateway_new(const struct gateway_options *options);
void gateway_free(struct gateway *gateway);

enum gateway_pass { GATEWAY_SCAN = 1, GATEWAY_GATHER = 2, GATEWAY_BOTH = 3 };

/* What the input that follows is fed for; a new engine is in GATEWAY_BOTH.  Each change makes use
 * of what was learnt so far. */
void gateway_pass(struct gateway *gateway, enum gateway_pass pass);

/* Feed one event of a worker.  Several streams may follow each other (their `hdr` separates). */
void gateway_add_event(struct gateway *gateway, const struct event *event);

/* Feed one log event; `file` in it numbers the sources from 0. */
void gateway_add_log(struct gateway *gateway, const struct log_event *log);

/* Which module a worker was in, by whoever can read stacks; before gateway_finish(). */
enum gateway_owner_kind {
    GATEWAY_OWNER_CRASH,  /* when it died, within a minute: a core takes time */
    GATEWAY_OWNER_STUCK,  /* where the slow log found it, during the request */
    GATEWAY_OWNER_MEMORY, /* what took most memory in the request that it was in */
};
struct gateway_owner {
    enum gateway_owner_kind kind;
    int64_t pid, time_us;
    struct slice module, frame; /* "Acme_ErpSync", "Acme\\ErpSync\\Push::send (Push.php:41)" */
};
void gateway_note_owner(struct gateway *gateway, const struct gateway_owner *told);

/*
 * Where the kernel's log is looked for ("the journal", "/var/log/kern.log"), whether it has told
 * anything or not; of several a readable one counts.  Before gateway_finish().
 */
void gateway_note_kernel_log(struct gateway *gateway, struct slice where, bool is_readable);

/* Decide.  Call once; NULL without memory. */
const struct gateway_report *gateway_finish(struct gateway *gateway);

#endif
