/*
 * leak_state.h - what the leak analysis remembers, and the constants of the method.  Internal to
 * analyze/leak*.c.
 *
 *   event -> leak.c -> leak_worker (order, ages, floor) -> leak_ledger (exact, per route)
 *                  \-> leak_sample (survivors, per route and stack)
 *   tick  -> leak_tick -> leak_claim -> leak_veto -> leak_label (why not)
 *                         leak_veto -> leak_balance (conservation) -> leak_belief (how sure)
 *
 * Routes are referred to by `ref`: slot and generation in one word, so that a reference to an
 * evicted route is noticed instead of followed.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_STATE_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyze/leak/leak.h"
#include "base/idmap.h"

#define LEAK_NONE UINT32_MAX /* an index that is none */

enum { LEAK_SLOT_BITS = 12 }; /* of a reference; the rest is the generation */

/* The two exact ledgers. */
enum leak_channel { LEAK_HEAP, LEAK_MMAP, LEAK_CHANNELS };

/* Ledgers of a route: one per channel, and heap growth of its failed requests alone (status >=
 * 500): a leak on the error path is sparse among all hits and dense among these. */
enum { LEAK_ERRORS = LEAK_CHANNELS, LEAK_LEDGERS };

enum {
    LEAK_RING = 64,           /* recent deltas of a route, for median and mode */
    LEAK_CANCEL_LAG = 4,      /* a release cancels a growth of the last four requests */
    LEAK_WINDOW_MAX = 50,     /* requests in which a worker's floor is looked for */
    LEAK_STEPS = 128,         /* >= 2 windows, power of two */
    LEAK_INTERVALS = 192,     /* recent intervals between floors, per channel */
    LEAK_SHARES = 50,         /* routes of one interval */
    LEAK_LIVES = 32,          /* ended lives, to learn how long one is */
    LEAK_GROWTHS = 128,       /* growths that a release may match */
    LEAK_SIZES = 48,          /* recent sizes of growths of a route */
    LEAK_SIZE_CLASSES = 24,   /* powers of two KiB: zend peak and allocated volume */
    LEAK_CLAIMS_MAX = 16,     /* tested together; the strongest ones */
    LEAK_ACQUAINTED_HITS = 4, /* a life with so many hits of a route speaks for or against it */
    LEAK_PAIR_SET_WORDS = 8,  /* 512 bits of a Bloom filter */
    LEAK_CHUNK_SIZES = 64,    /* growths of one size, to find those of an arena */
    LEAK_GAPS = 16,           /* recent gaps between two chunks */
    LEAK_RESTART_WINDOW = 50,
    LEAK_TICK_REQUESTS = 50, /* at least; grows with the stream to keep the share of ticks small */
};

/* The sign test: a hit of a leaking route grows with P1, of a healthy one with P0 at most. */
#define LEAK_LLR_GROWS      0.811 /* ln(.9/.4) */
#define LEAK_LLR_GROWS_NOT  1.792 /* -ln(.1/.6) */
#define LEAK_LLR_FLOOR      (-8.0)
#define LEAK_LLR_CLAIM      7.6 /* ln 2000: one false start in 2000 routes */
#define LEAK_BETA_MIN_BYTES 24.0
#define LEAK_LLR_BIRTH      0.642 /* ln 1.9 */
#define LEAK_LLR_DEATH      2.30  /* a block that was believed to stay has gone */

/* Ages that depend on how many requests a worker lives; leak_scale_of() makes them. */
struct leak_scale {
    uint32_t life;   /* requests; UINT32_MAX / 2 = no recycling */
    uint32_t settle; /* S0: a worker's first requests are nobody's fault */
    uint32_t lazy;   /* ORD: so are a route's first hits in a worker */
    uint32_t deep;   /* DEEP: evidence counts from this age on */
    uint32_t mature; /* AGE: a block that lived so long is a survivor */
    uint32_t window; /* requests per floor */
    uint32_t first;  /* age at which the first window begins */
};

struct leak_scale leak_scale_of(uint64_t life_requests);

/* Exact ledger of one route and channel.  Sums are halved now and then: old news fade. */
struct leak_ledger {
    double llr;
    uint32_t deep_hits, deep_growths, deep_releases;
    uint32_t given_back_hits; /* deep growths that went within four requests */
    uint8_t ring_at, ring_count, ring_growths;
    int32_t ring[LEAK_RING];        /* bytes, clamped */
    int64_t began_us;               /* first deep growth since it last looked healthy; 0: none */
    bool was_quiet;                 /* it looked healthy once, at an old age */
    double sum, sum_sq, sum_n;      /* deep deltas; the largest of each life is kept out */
    double growth_sum, growth_sq;   /* positive parts of settled hits ... */
    double release_sum, release_sq; /* ... and negative parts: jitter is in both */
    double settled_n;
    uint32_t early_hits, early_growths;   /* hits 9..32 of the route in a worker */
    uint32_t late_hits, late_growths;     /* hits above 64 */
    double warm_sum;                      /* what settling and lazy hits left */
    double grown_bytes, given_back_bytes; /* deep; given back: within four requests */
    double settled_grown, matched_bytes;  /* released later in their exact size */
    double run_max_sum, run_total_sum;    /* see leak_release.h; of ended lives */
    uint32_t covers;                      /* releases that ended a run, see there */
    uint32_t cleanups;                    /* see leak_cleanup.h */
    double biggest_sum;                   /* of the largest settled growth of each ended life */
    double largest_sum;                   /* of the ended lives' largest deltas */
};

/* Recent old growths of a route, without the zeros between them. */
struct leak_sizes {
    uint8_t at, count;
    int32_t bytes[LEAK_SIZES];
};

/* How often a route was hit from one chunk of an arena to the next, see leak_chunk.h. */
struct leak_gaps {
    uint8_t at, count;
    uint16_t hits[LEAK_GAPS];
};

struct leak_route_state {
    char *uri;
    uint32_t uri_bytes, generation;
    bool used, touched;
    uint8_t credit; /* clock algorithm: what keeps a route from being evicted */
    uint64_t hits, lives;
    int64_t first_seen_us, last_seen_us, flagged_at, flagged_us;
    struct leak_ledger ledgers[LEAK_LEDGERS];
    struct leak_sizes sizes; /* of the heap */
    struct leak_gaps gaps;
    double net_bytes, net_var; /* sampled births minus deaths at deep ages, unbiased */
    uint16_t zend_peaks[LEAK_SIZE_CLASSES], volumes[LEAK_SIZE_CLASSES];
    enum leak_verdict verdict; /* of the last tick */
};

/* What one worker remembers of one route. */
struct leak_visit {
    uint32_t ref;                       /* 0 = empty slot */
    uint32_t hits, hits_at_chunk;       /* see leak_chunk.h */
    int32_t previous[LEAK_CHANNELS][2]; /* the last two deltas */
    int32_t largest[LEAK_CHANNELS];
    int32_t biggest; /* largest settled growth of the life, heap */
    float run, run_max,
        run_total; /* heap growth since the last covering release; see leak_release.h */
};

/* A finished request that waits until nothing can cancel it any more. */
struct leak_record {
    uint32_t ref, ordinal, age;
    bool failed;
    int64_t ts_us;
    int64_t delta[LEAK_CHANNELS];
};

/* A growth that was not released yet. */
struct leak_growth {
    uint32_t ref;
    bool lazy;     /* of a hit that is nobody's fault yet */
    int64_t bytes; /* 0 = none */
};

/* One request in the log between two floors. */
struct leak_step {
    uint32_t ref;
    bool young; /* lazy: left out of both sides of conservation */
    float grew[LEAK_CHANNELS];
    int32_t excess_kib; /* RSS that is neither live heap nor mapping; INT32_MIN = not known */
    float early_freed;  /* sampled bytes of the warm-up that died in it */
    int64_t level[LEAK_CHANNELS]; /* live bytes without the young growth so far */
};

struct leak_worker {
    int64_t pid, start_ticks; /* start_ticks: 0 = not known; pids come back, both together do not */
    bool used, has_live;
    uint32_t life;        /* serial number of the life, never 0 */
    uint32_t last_seq;    /* of the last request */
    uint32_t born_seq;    /* age = seq - born_seq; moves when the whole pool warms up again */
    uint32_t last_ref;    /* route of the last request */
    uint32_t chunk_epoch; /* of its last chunk */
    int64_t last_ts_us;
    uint64_t last_request; /* for eviction */
    int64_t live[LEAK_CHANNELS], young[LEAK_CHANNELS];
    int32_t excess_floor_kib;  /* of the last window; INT32_MIN = none yet */
    struct leak_visit *visits; /* open addressing */
    uint32_t visit_slots, visit_count;
    struct leak_record queue[LEAK_CANCEL_LAG + 1];
    uint32_t queued;
    struct leak_growth growths[LEAK_GROWTHS];
    uint32_t growth_at;
    struct leak_step steps[LEAK_STEPS];
    uint32_t step_end, window_begin; /* numbers of steps, running */
    uint32_t floor_at[LEAK_CHANNELS];
    int64_t floor[LEAK_CHANNELS];
    bool has_floor[LEAK_CHANNELS];
    uint32_t blocks_head, blocks_tail; /* its live sampled blocks, oldest first */
    uint32_t immature, unproven;       /* the oldest of them that is not ... yet */
    /* Of this life's pairs: those that survived once, and those that counted once. */
    uint64_t seen_pairs[LEAK_PAIR_SET_WORDS], counted_pairs[LEAK_PAIR_SET_WORDS];
};

/* What one route did in an interval. */
struct leak_share {
    uint32_t ref;
    uint16_t hits, lazy_hits; /* lazy ones are not among the hits */
};

/* From one floor of a worker to the next. */
struct leak_interval {
    uint32_t life;
    uint16_t length, share_count;
    float growth; /* of the floor, without what lazy hits left */
    float early_freed;
    struct leak_share shares[LEAK_SHARES];
};

struct leak_interval_ring {
    struct leak_interval *items;
    uint32_t count, at;
};

struct leak_block {
    int64_t id;
    uint32_t ref, pair, pair_generation;
    uint32_t size_bytes, age; /* at birth */
    uint32_t older, newer;
    float probability; /* of being sampled */
    uint16_t worker;
    bool mature, counted, again, proven; /* again: not the first of its life that counted */
};

struct leak_pair {
    uint32_t ref, generation;
    int64_t stack;
    float llr;
    uint32_t samples;                               /* at any age, whatever became of them */
    uint32_t births, deep_births, deaths, reallocs; /* of mature blocks */
    uint32_t proven;                                /* births that lived four times as long */
    uint32_t again;                                 /* births that were not a life's first two */
    float net_bytes;
    uint32_t usual_bytes, usual_votes; /* the size that most samples have, by majority vote */
};

/* Is the whole pool warming up again?  See leak_restart.h. */
struct leak_restart {
    uint32_t requests, seen, grown, windows; /* of this window; windows since the last restart */
    double usual;                            /* share of the routes that grow in a window */
    uint64_t seen_set[(1u << LEAK_SLOT_BITS) / 64], grown_set[(1u << LEAK_SLOT_BITS) / 64];
};

/* One size of growth, and how often it was seen; dense: after the same growth of the last hit. */
struct leak_chunk_size {
    int64_t bytes;
    uint32_t count, dense, seen_at;
};

struct leak_chunks {
    struct leak_chunk_size sizes[LEAK_CHUNK_SIZES];
    uint32_t followed, epoch; /* row, and which one it is; epoch 0: none yet */
    uint32_t released;        /* releases of the followed size */
    uint32_t growths;         /* a clock for seen_at */
};

struct leak_analyzer {
    struct leak_options options;
    struct leak_scale scale;
    bool life_known;
    uint32_t lives[LEAK_LIVES], lives_ended;
    struct leak_route_state *routes;
    struct idmap route_map; /* hash of the text -> slot */
    size_t route_hand;
    struct leak_worker *workers;
    struct idmap worker_map; /* pid -> index */
    struct leak_block *blocks;
    struct idmap block_map; /* sample id -> index */
    uint32_t free_block;
    uint64_t samples; /* seen at old ages */
    struct leak_pair *pairs;
    struct idmap pair_map;
    struct idmap cache_map; /* stack -> row of known_caches.def, of those that go through one */
    size_t pair_count;
    struct leak_interval_ring intervals[LEAK_CHANNELS];
    struct leak_chunks chunks;
    struct leak_restart restart;
    double excess_growth_kib, excess_requests; /* of floors, all workers */
    uint32_t next_life;
    uint64_t next_tick;
    int64_t last_ts_us;
    int64_t global_flagged_at, global_flagged_us;
    struct leak_coverage coverage;
};

/* --- references ---------------------------------------------------------------------------- */

/* The value of `key`, or LEAK_NONE. */
static inline uint32_t leak_lookup(const struct idmap *map, uint64_t key)
{
    uint32_t value;

    return idmap_get(map, key, &value) ? value : LEAK_NONE;
}

static inline uint32_t leak_ref_slot(uint32_t ref)
{
    return ref & ((1u << LEAK_SLOT_BITS) - 1);
}

/* The route of a reference that was taken since the last eviction: nothing can have evicted it. */
static inline struct leak_route_state *leak_route_at(struct leak_analyzer *analyzer, uint32_t ref)
{
    return &analyzer->routes[leak_ref_slot(ref)];
}

/* The route that `ref` means, or NULL when it was evicted. */
static inline struct leak_route_state *leak_route_of(struct leak_analyzer *analyzer, uint32_t ref)
{
    struct leak_route_state *route = leak_route_at(analyzer, ref);

    return route->used && route->generation == ref >> LEAK_SLOT_BITS ? route : NULL;
}

/* --- workers ------------------------------------------------------------------------------- */

/* The worker with this pid, or NULL. */
static inline struct leak_worker *leak_worker_find(struct leak_analyzer *analyzer, int64_t pid)
{
    const uint32_t at = leak_lookup(&analyzer->worker_map, (uint64_t) pid);

    return at == LEAK_NONE ? NULL : &analyzer->workers[at];
}

/* Age of the worker: requests since its birth or since the pool last warmed up again. */
static inline uint32_t leak_worker_age(const struct leak_worker *worker)
{
    return worker->last_seq - worker->born_seq;
}

#endif
