/*
 * chooser.h - which requests are armed: few enough for the budget, and the ones that matter.
 *
 * Picture a purse.  CPU time of all requests drips a share into it (`budget_ppm`); an armed request
 * takes out what arming has cost, and may leave a debt.  With a debt nobody is armed.  A heavy
 * route is served from an empty purse; a route that is new to this worker needs what one arming
 * costs on the average; others need four times that.  So heavy routes come first, then new ones,
 * and nobody starves.
 *
 * Routes are kept by a hash of the URI without its query, digits folded to one, in a table of fixed
 * size; a newcomer pushes out the smallest of its row.  A request that is not armed and not heavy
 * is never looked up.
 *
 * Pure: no clock, no system call; one thread.
 */
#ifndef FPMSCOPE_ZEND_CHOOSER_H
#define FPMSCOPE_ZEND_CHOOSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CHOOSER_ROWS = 32,
    CHOOSER_WAYS = 4,
    CHOOSER_HEAVY_KIB = 16 * 1024, /* a peak from here on makes a route heavy */
    CHOOSER_ALWAYS_PPM = 1000000,  /* this budget arms every request */
    CHOOSER_PURSE_MAX = 8,         /* times the cost of one arming */
};

struct chooser_route {
    uint64_t hash; /* 0: free */
    uint32_t peak_kib;
    uint32_t armed; /* how often */
};

struct chooser {
    uint64_t budget_ppm; /* 0: never */
    int64_t purse_ns;
    int64_t cost_ns; /* of one arming, running mean; 0: not known yet */
    struct chooser_route routes[CHOOSER_ROWS][CHOOSER_WAYS];
};

/* Bytes up to `?` or `#`, each run of digits as one; never 0. */
uint64_t chooser_hash(const char *uri, size_t len_bytes);

/* Nobody can be armed now, whatever the route: one comparison. */
static inline bool chooser_is_broke(const struct chooser *chooser)
{
    return chooser->purse_ns < 0 || chooser->budget_ppm == 0;
}

/* Arm a request of this URI?  *ret_peak_kib: the route's known peak, 0 when it is new. */
bool chooser_wants(struct chooser *chooser, const char *uri, size_t len_bytes,
                   uint32_t *ret_peak_kib);

/* A request has ended whose peak makes its route heavy, or that was armed. */
void chooser_learn(struct chooser *chooser, const char *uri, size_t len_bytes, uint32_t peak_kib,
                   bool was_armed);

/* Arming has cost that much CPU time. */
void chooser_spend(struct chooser *chooser, int64_t cost_ns);

/* The worker has used that much CPU time since the last call. */
void chooser_earn(struct chooser *chooser, uint64_t cpu_ns);

#endif
