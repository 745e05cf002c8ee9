/*
 * gateway_facts.h - what the engine keeps: one struct per kind of evidence, and the engine itself.
 * Private to gateway*.c.
 *
 * Life of a piece of evidence: collected (gateway_collect.c from logs, gateway_events.c from
 * events), its clock corrected (gateway_clock.c), deaths and restarts completed (gateway_deaths.c,
 * gateway_restarts.c, gateway_causes.c), access lines folded into requests (gateway_fold.c),
 * everything tied to requests (gateway_tie.c, gateway_join.c), judged (gateway_decide.c), put into
 * words (gateway_row.c, gateway_words.c).
 *
 * Records refer to each other by index; NONE means "no such record".  Texts are interned.
 */
#ifndef FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_FACTS_H
#define FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_FACTS_H

#include "analyze/gateway/gateway.h"
#include "base/arena.h"
#include "base/array.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "model/memory_holders.h"

#define NONE UINT32_MAX

enum {
    SECOND_US = 1000000,
    FAULTS_MAX = 6, /* nginx errors of one request: attempts at several upstreams */
    HOPS_MAX = 2,   /* the back's line and the front's */
    DEATHS_MAX = GATEWAY_PIDS_MAX,
};

/* What logs claim beyond these is taken as not said: sums of times must not overflow. */
#define TIME_MAX_US     INT64_C(4102444800000000) /* the year 2100 */
#define DURATION_MAX_US (INT64_C(30) * 86400 * SECOND_US)

struct line_ref {
    int file; /* -1: none */
    int64_t offset_bytes;
};

/* One access line. */
struct hop {
    struct line_ref ref;
    int64_t end_us, precision_us; /* it ended in [end_us, end_us + precision_us) */
    int64_t duration_us;          /* -1: not logged */
    int64_t body_bytes;
    text_id method, uri, host, ip, agent, request_id, handler, port, country;
    int64_t uri_hash; /* model/uri_hash.h; 0: not known */
    int16_t status;
    int16_t upstream_count;
    int16_t upstream_status[LOG_UPSTREAMS_MAX];
    bool proxied; /* its upstream is another HTTP server, not PHP */
    uint32_t request;
};

/* One nginx error line about a request. */
struct fault {
    struct line_ref ref;
    int64_t time_us, precision_us;
    enum log_nginx_cause cause;
    text_id method, uri, host, ip, upstream, message;
    int64_t uri_hash;
    int64_t connection; /* *N, -1: not given */
    bool fastcgi, after_header, memory_limit, php_fatal;
    uint32_t request;
};

/* What the shim knows of a request; kept for those whose worker died and for neighbours. */
struct served {
    int64_t pid, begin_us;
    int64_t end_us;      /* -1: never ended */
    int64_t response_us; /* -1: response never completely handed over */
    text_id method, uri, host, ip, agent, request_id, x_request_id, port, pool;
    int64_t uri_hash;
    int status; /* -1: not known */
    int write_errno;
    int64_t rss_kib;
    bool uri_masked;
};

enum death_cause {
    DEATH_UNKNOWN,
    DEATH_CRASH,
    DEATH_OOM,
    DEATH_KILLED,
    DEATH_TIMEOUT,
    DEATH_RESTART,
    DEATH_EXITED, /* ended itself in the middle of a request */
    DEATH_LOST,   /* stopped talking and was never heard of again */
};

struct death {
    int64_t pid, master;
    int64_t time_us, precision_us; /* as for hops; DEATH_LOST: the latest possible time */
    int64_t earliest_us;           /* it was alive then; time_us when it said so itself */
    int signo;                     /* 0: not known or none */
    int exit_code;                 /* -1: not an exit */
    enum death_cause cause;
    enum gateway_killer killer;
    bool core, from_events, has_crash, in_request, response_sent, stack_overflow;
    int si_code;
    uint64_t addr, ip, sp;
    int64_t sender;                          /* of the signal, 0: nobody */
    int64_t master_signal_us, master_signal; /* last kill() by its master; 0: none */
    bool self_signal;                        /* it sent itself the signal that ended it */
    struct served request;                   /* method 0: not known */
    text_id pool, shared_object, shared_object_offset, slow; /* slow: where the slow log saw it */
    int64_t rss_kib, peer_rss_kib; /* its last RSS; the pool's 90th percentile */
    int64_t age_us, ran_us;        /* of the worker; of the request, when it says */
    text_id query;                 /* of the request that a time-out line names, with its '?' */
    uint32_t restart;              /* that it was part of */
    uint32_t oom;
    struct line_ref fpm_line, timeout_line, kernel_line;
    bool tied;  /* to a request */
    bool shown; /* in a row of the report */
};

/* PHP-FPM's workers were all told to end. */
struct restart {
    int64_t from_us, to_us, master;
    enum gateway_reason reason;
    bool from_events;
    int64_t precision_us;
    uint32_t culprit; /* death that started it (emergency restart) */
    struct line_ref line;
};

/* A stretch of time in which PHP-FPM had no worker, or no free one. */
enum span_kind { SPAN_DOWN, SPAN_BUSY };
struct span {
    enum span_kind kind;
    text_id pool;           /* SPAN_BUSY of one pool; 0: of all workers of a master */
    int64_t from_us, to_us; /* to_us INT64_MAX: until the end */
    int workers;
};

/* A transaction that Varnish could not finish. */
struct fetch {
    struct line_ref ref;
    int64_t start_us, end_us;
    text_id method, uri, host, request_id, client, error, received, backend;
    int status;
    bool backend_side;
    uint32_t request;
};

/* A PHP error that ended a request, from PHP's or PHP-FPM's log. */
struct php_end {
    struct line_ref ref;
    int64_t time_us, precision_us, pid; /* pid 0: not known */
    text_id message;
    bool memory_limit;
    uint32_t request;
};

struct oom_task {
    int64_t pid, rss_kib;
    text_id comm;
};

/* One visit of the kernel's OOM killer. */
struct oom {
    struct line_ref ref;
    int64_t time_us; /* -1: only the time since boot is known */
    int64_t pid, rss_kib;
    text_id comm, invoker;
    struct oom_task largest[2]; /* of the dump; the victim may be one of them */
    uint32_t dump;              /* all of it by name: index + 1 into dumps, 0: none */
    bool done;
};

/* What the collector saw of the host's memory. */
struct snapshot {
    int64_t time_us, available_kib;
    struct memory_holders holders;
};

/* A worker that the kernel saw crash. */
struct kernel_crash {
    struct line_ref ref;
    int64_t time_us, pid;
    text_id shared_object, shared_object_offset;
    uint64_t addr, ip, sp;
};

/* A line of php-fpm's master. */
struct fpm_note {
    struct line_ref ref;
    int64_t time_us, precision_us, pid, age_us;
    enum log_fpm_what what;
    int signo, code, limit;
    bool core;
    text_id pool, query;
};

struct varnish_note {
    struct line_ref ref;
    int64_t time_us; /* -1: not known */
    enum log_varnishd_what what;
    int signo;
    text_id message;
};

/* A request as the client made it: one or more hops. */
struct request {
    uint32_t hops[HOPS_MAX]; /* inner first, outermost last */
    int hop_count;
    text_id method, uri, host;
    int64_t uri_hash;
    int64_t begin_us, end_us, precision_us, duration_us; /* of the outermost hop */
    int client_status;
    bool failed; /* some hop says 5xx or 499, or nginx logged a fault */
    bool wanted; /* a row is due */
    uint32_t faults[FAULTS_MAX];
    int fault_count;
    uint32_t deaths[DEATHS_MAX];
    int death_count;
    enum gateway_join join;
    int candidates;
    int suspects;                    /* deaths that the candidates share */
    uint32_t served, fetch, php_end; /* NONE: not known */
};

enum source_bits {
    SOURCE_EVENTS = 1 << 0,
    SOURCE_ACCESS = 1 << 1,
    SOURCE_ERROR = 1 << 2,
    SOURCE_FPM = 1 << 3,
    SOURCE_KERNEL = 1 << 4,
    SOURCE_VARNISH = 1 << 5,
    SOURCE_PHP = 1 << 6,
};

struct worker;

struct gateway {
    enum gateway_pass pass;
    unsigned sources;   /* source_bits seen */
    text_id kernel_log; /* where it is looked for; 0: nowhere */
    bool kernel_log_readable;
    struct intern texts;
    struct array hops, faults, deaths, served, restarts, spans, fetches, php_ends, ooms,
        kernel_crashes, fpm_notes, varnish_notes, requests;
    int64_t events_from_us, events_to_us; /* what the event stream covers */
    int64_t access_from_us, access_to_us;
    int64_t longest_us; /* duration of the longest request kept */
    bool relative_events, varnish_times;
    struct idmap wanted; /* hash of path and time -> 1 */
    struct idmap worker_index;
    struct arena worker_texts; /* of their requests in flight */
    struct array workers, herds, bursts;
    struct array owners;           /* see gateway_owners.c */
    struct idmap owner_index;      /* pid -> index + 1 of its newest */
    struct array dumps, snapshots; /* of struct memory_holders, struct snapshot */
    int alive_workers;
    int64_t down_since_us;      /* -1: somebody lives */
    struct idmap stack_modules; /* stack id -> text */
    bool file_seen[GATEWAY_FILES_MAX];
    int64_t file_from_us[GATEWAY_FILES_MAX], file_to_us[GATEWAY_FILES_MAX]; /* as stamped */
    int64_t clock_shift_us[GATEWAY_FILES_MAX]; /* of each source, added to its times */
    struct array clocks, rows, death_rows, notes;
    struct gateway_report report;
};

/* The kinds of index into gateway->x, typed. */
#define GATEWAY_AT(gateway, list, type, i) ((struct type *) array_at(&(gateway)->list, (i)))

static inline struct request *gateway_request(const struct gateway *gateway, size_t i)
{
    return GATEWAY_AT(gateway, requests, request, i);
}

static inline struct death *gateway_death(const struct gateway *gateway, size_t i)
{
    return GATEWAY_AT(gateway, deaths, death, i);
}

static inline struct hop *gateway_hop(const struct gateway *gateway, size_t i)
{
    return GATEWAY_AT(gateway, hops, hop, i);
}

/* The k-th hop of a request, the innermost first. */
static inline const struct hop *request_hop(const struct gateway *gateway,
                                            const struct request *request, int k)
{
    return gateway_hop(gateway, request->hops[k]);
}

static inline const struct fault *request_fault(const struct gateway *gateway,
                                                const struct request *request, int k)
{
    return GATEWAY_AT(gateway, faults, fault, request->faults[k]);
}

/* Two sources about one thing; a text that is not known contradicts nobody. */
static inline bool gateway_same_or_unknown(text_id a, text_id b)
{
    return a == b || a == 0 || b == 0;
}

/* Are these texts of one URI?  Masked ones may look alike and be two; their hashes know. */
static inline bool gateway_same_uri(text_id a, int64_t a_hash, text_id b, int64_t b_hash)
{
    return a == b && (a_hash == b_hash || a_hash == 0 || b_hash == 0);
}

static inline struct slice gateway_text(const struct gateway *gateway, text_id id)
{
    return intern_text(&gateway->texts, id);
}

#endif
