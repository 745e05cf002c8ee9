/*
 * doctor_sizing.h - how much memory workers need, how much there is, how many workers that makes.
 *
 * A worker needs its proportional set size (opcache's shared memory counted once for all of them)
 * plus what it has been larger before (VmHWM - RSS): a pool fits when all workers can be at their
 * peak.  Of the workers of a pool the 90th percentile stands for all.
 */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_SIZING_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_SIZING_H

#include "analyze/doctor/doctor_host.h"

enum {
    DOCTOR_REFERENCE_WORKER_KIB = 63 * 1024, /* the hosting guide's average of a Magento worker */
    DOCTOR_RESERVE_PERCENT = 10,             /* of all memory: for what is not php-fpm */
};

struct doctor_pool_size {
    int64_t workers;      /* measured */
    int64_t worker_bytes; /* what one needs; the reference when none could be measured */
    int64_t mean_rss_bytes, largest_rss_bytes;
    int64_t held_bytes; /* by all measured workers now */
    bool measured;
    bool by_share; /* PSS was readable for all of them */
};

struct doctor_pool_size doctor_pool_size(const struct doctor_host *host, size_t pool);

/* What pools can have: of the host, or of the control group around one master. */
struct doctor_room {
    int64_t total_bytes;  /* -1: not known */
    int64_t room_bytes;   /* free now, and what the pools hold already */
    int64_t demand_bytes; /* all pools at pm.max_children */
};

/* Of all pools on the host. */
struct doctor_room doctor_room_of_host(const struct doctor_host *host);

/* Of one master's pools under its memory limit; total_bytes -1 when it has none. */
struct doctor_room doctor_room_of_master(const struct doctor_host *host, size_t master);

/*
 * pm.max_children with which the pool fits: today's number, scaled as all pools have to be so that
 * their demand is the room less the reserve.  At least 1; -1 when it cannot be computed.
 */
int64_t doctor_max_children(const struct doctor_pool *pool, const struct doctor_room *room);

/*
 * How many workers memory would carry when it suffices.  Workers that have done little yet are
 * small, so each counts as the reference at least.  -1 when it cannot be computed.
 */
int64_t doctor_max_children_upwards(const struct doctor_host *host, size_t pool,
                                    const struct doctor_room *room);

#endif
