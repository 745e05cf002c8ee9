/*
 * gateway_parts.h - the engine's stages, in the order in which they run.  Private to gateway*.c.
 */
#ifndef FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_PARTS_H
#define FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_PARTS_H

#include "analyze/gateway/gateway_facts.h"

/* gateway_notes.c */

/* Add a line to the report's notes. */
void gateway_note(struct gateway *gateway, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Count what found no room, and say it; the same for clocks that cannot be compared. */
void notes_on_limits(struct gateway *gateway);

/* Say it when workers died in requests and no access log tells what the clients got. */
void notes_on_access(struct gateway *gateway);

/* gateway_wanted.c: which URIs matter at which time */

/* Lines and requests about `uri` within 2 to 4 s of `time_us` are kept from now on. */
void wanted_mark(struct gateway *gateway, struct slice uri, int64_t time_us);
bool wanted_has(const struct gateway *gateway, struct slice uri, int64_t from_us, int64_t to_us);
/* Is anything wanted in that time?  Then what was running is kept, whatever its URI. */
bool wanted_has_moment(const struct gateway *gateway, int64_t from_us, int64_t to_us);
/* Mark everything that was collected so far; its clocks are right by now. */
void wanted_mark_collected(struct gateway *gateway);

/* gateway_collect.c: log lines */

/* A host as all sources write it: lower case, without ":8080". */
text_id keep_host(struct gateway *gateway, struct slice host);
void collect_log(struct gateway *gateway, const struct log_event *log);
/* gateway_collect_kernel.c; `time_us` on the reference clock */
void collect_kernel(struct gateway *gateway, const struct log_event *log, int64_t time_us);

/* gateway_events.c: the workers' lives */
void events_init(struct gateway *gateway);
void events_release(struct gateway *gateway);
void events_add(struct gateway *gateway, const struct event *event);
/* Nothing more will come, or all of it once more: whoever is in a request is lost, all are gone. */
void events_end(struct gateway *gateway);

/* gateway_census.c: how many live, how many are busy */
void census_init(struct gateway *gateway);
void census_release(struct gateway *gateway);
/* Workers of `master` came or went, became busy or free; `pool` 0: not known (yet). */
void census_change(struct gateway *gateway, int64_t master, text_id pool, int alive, int busy,
                   int64_t now_us);
/* A worker that was counted turns out to be of this pool; it is free. */
void census_place(struct gateway *gateway, int64_t master, text_id pool, int64_t now_us);
void census_end(struct gateway *gateway);

/* gateway_holders.c: who held the host's memory */
void holders_init(struct gateway *gateway);
void holders_release(struct gateway *gateway);
void holders_on_task(struct gateway *gateway, struct oom *oom, struct slice comm, int64_t rss_kib);
/* An `rss` event with a name. */
void holders_on_event(struct gateway *gateway, const struct event *event);
/* What the collector saw last before `time_us`, not long before, or NULL. */
const struct snapshot *holders_before(const struct gateway *gateway, int64_t time_us);
/* Largest first; count 0: not known.  Age 0: the kernel's dump of that moment. */
struct memory_holders holders_at_death(const struct gateway *gateway, const struct death *death,
                                       int64_t *ret_age_us);

/* gateway_pools.c: the pool that serves requests like this one, 0: not known, or several do */
text_id pool_of_request(const struct gateway *gateway, const struct request *request);

/* gateway_owners.c: which module a worker was in */
void owners_init(struct gateway *gateway);
void owners_release(struct gateway *gateway);
struct evidence;
/* For a row that has its verdict. */
void owners_fill_row(const struct gateway *gateway, const struct evidence *evidence,
                     struct gateway_row *row);

/* gateway_masters.c: who told the workers to end */
/* `earlier_signal`: what its master had sent to the same worker before, 0: nothing. */
void masters_on_kill(struct gateway *gateway, const struct event *kill, bool target_idle,
                     int64_t earlier_signal);
void masters_on_start(struct gateway *gateway, int64_t master, int64_t time_us);
/* The restart of `master` in which a worker that it signalled ended at `time_us`, or NONE. */
uint32_t masters_restart_of(const struct gateway *gateway, int64_t master, int64_t time_us);

/* gateway_clock.c */
void clocks_estimate(struct gateway *gateway);

/* gateway_hops.c */

/* Do both speak of the same request, apart from when? */
bool hops_same_request(const struct gateway *gateway, const struct hop *a, const struct hop *b);
/* What a proxy makes of its backend's answer: the same, or its own failure. */
bool hops_statuses_fit(const struct hop *outer, const struct hop *inner);
/* Make a request of one line, or of two (`inner` may be NONE). */
void hops_make_request(struct gateway *gateway, uint32_t outer, uint32_t inner);

/* gateway_fold_blind.c: lines that name neither handler nor port */
void fold_blind_lines(struct gateway *gateway);

/* gateway_fold.c: access lines -> requests, sorted by end */
void fold_requests(struct gateway *gateway);

/* gateway_deaths.c: php-fpm's and the kernel's words about deaths */
void deaths_hear_witnesses(struct gateway *gateway);
bool death_is_crash_signal(int signo);

/* gateway_restarts.c: restarts and stretches without PHP, from php-fpm's log */
void restarts_complete(struct gateway *gateway);
/* The restart that was going on at `time_us`, or NONE. */
uint32_t restarts_at(const struct gateway *gateway, int64_t time_us, int64_t precision_us);
/* The stretch of `kind` around `time_us`, or NONE: of this pool, or of all workers. */
uint32_t spans_at(const struct gateway *gateway, enum span_kind kind, text_id pool, int64_t time_us,
                  int64_t precision_us);

/* gateway_causes.c: why each worker died, when the restarts are known */
void deaths_find_causes(struct gateway *gateway);

/*
 * gateway_match.c: can these two be the same request?  `ret_excess_us` (set unless MATCH_NO) is the
 * time that the request spent outside of PHP, at least; it is small for the right one.
 */
enum match { MATCH_NO, MATCH_POSSIBLE, MATCH_EXACT };
enum match match_death(const struct gateway *gateway, const struct death *death,
                       const struct request *request, int64_t *ret_excess_us);
enum match match_served(const struct gateway *gateway, const struct served *served,
                        const struct request *request, int64_t *ret_excess_us);
/* Is there a hop of that request that nginx, or its upstream, marked as failed by a dead worker? */
bool match_looks_reset(const struct gateway *gateway, const struct request *request);

/* gateway_tie.c: errors, fetches, PHP's own errors, requests that PHP finished -> requests */
void tie_faults(struct gateway *gateway);
void tie_fetches(struct gateway *gateway);
void tie_php_ends(struct gateway *gateway);
/* After join_deaths(): who has a dead worker was not served. */
void tie_served(struct gateway *gateway);

/* gateway_join.c: dead workers -> requests */
void join_deaths(struct gateway *gateway);

/* gateway_evidence.c: all that is known about one request; gateway_decide.c: the verdict */
struct evidence {
    const struct gateway *gateway;
    const struct request *request; /* NULL: a death without a request */
    const struct fault *php_fault, *proxy_fault,
        *other_fault;          /* the decisive one of each, or NULL */
    const struct death *death; /* NULL: none */
    bool mixed_deaths;         /* ambiguous, and not all died of the same cause */
    const struct death *later; /* whose worker was still at it when nginx gave up, and died since */
    const struct fetch *fetch;
    const struct php_end *php_end;
    const struct served *served;
    const struct restart *restart;
    const struct span *down, *busy;
    text_id pool;                 /* that it went to, or would have; 0: not known */
    const struct fault *php_said; /* a fatal error of PHP in nginx's log */
    bool varnish_died, varnish_down_near;
    bool fpm_gone_after; /* nginx could not connect to PHP right after */
    bool back_hop;       /* a hop that talked to PHP left a line */
    bool front_hop;      /* a hop that talked to Varnish left a line */
    int status, back_status;
    int64_t duration_us;
};
void evidence_gather(const struct gateway *gateway, const struct request *request,
                     struct evidence *ret_evidence);
void evidence_of_death(const struct gateway *gateway, const struct death *death,
                       struct evidence *ret_evidence);
const struct gateway_rule *decide(const struct evidence *evidence);
/* Who had the memory when the kernel killed a smaller worker; NULL: the victim itself. */
const struct oom_task *evidence_hog(const struct evidence *evidence);

/* gateway_row.c, gateway_witness.c: judged evidence -> rows, in words */
void row_fill(struct gateway *gateway, const struct evidence *evidence, struct gateway_row *row);
void row_add_evidence(struct gateway *gateway, const struct evidence *evidence,
                      struct gateway_row *row);

#endif
