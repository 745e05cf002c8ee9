/* doctor_sizing.c - sums over workers, pools and memory. */
#include "analyze/doctor/doctor_sizing.h"

#include <stdlib.h>
#include <string.h>

/* A worker whose title could not be read is in no pool. */
static bool is_in_pool(const struct doctor_worker *worker, const struct doctor_pool *pool)
{
    return worker->master == pool->master && worker->pool && pool->name &&
           strcmp(worker->pool, pool->name) == 0;
}

static int64_t need_kib(const struct doctor_worker *worker)
{
    const int64_t now_kib = worker->pss_kib >= 0 ? worker->pss_kib : worker->rss_kib;
    const int64_t more_kib = worker->peak_rss_kib - worker->rss_kib;

    return now_kib + (more_kib > 0 ? more_kib : 0);
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}

struct doctor_pool_size doctor_pool_size(const struct doctor_host *host, size_t pool_index)
{
    const struct doctor_pool *pool = doctor_pool_at(host, pool_index);
    struct doctor_pool_size size = {.worker_bytes = (int64_t) DOCTOR_REFERENCE_WORKER_KIB << 10,
                                    .by_share = true};
    int64_t *needs = malloc((host->workers.count + 1) * sizeof *needs);

    for (size_t i = 0; needs && i < host->workers.count; i++) {
        const struct doctor_worker *worker = array_at(&host->workers, i);

        if (!is_in_pool(worker, pool) || worker->rss_kib <= 0)
            continue;
        needs[size.workers++] = need_kib(worker);
        size.by_share &= worker->pss_kib >= 0;
        size.held_bytes += (worker->pss_kib >= 0 ? worker->pss_kib : worker->rss_kib) << 10;
        size.mean_rss_bytes += worker->rss_kib << 10;
        if (size.largest_rss_bytes < worker->rss_kib << 10)
            size.largest_rss_bytes = worker->rss_kib << 10;
    }
    if (size.workers > 0) {
        qsort(needs, (size_t) size.workers, sizeof *needs, by_value);
        size.worker_bytes = needs[(size.workers * 9 + 9) / 10 - 1] << 10;
        size.mean_rss_bytes /= size.workers;
        size.measured = true;
    }
    free(needs);
    return size;
}

/* The demand of the pools of `master` (SIZE_MAX: of all), and what they hold. */
static int64_t demand_of(const struct doctor_host *host, size_t master, int64_t *ret_held_bytes)
{
    int64_t demand_bytes = 0;

    *ret_held_bytes = 0;
    for (size_t i = 0; i < host->pools.count; i++) {
        const struct doctor_pool *pool = doctor_pool_at(host, i);
        const struct doctor_pool_size size = doctor_pool_size(host, i);

        if (master != SIZE_MAX && pool->master != master)
            continue;
        *ret_held_bytes += size.held_bytes;
        /* A hostile configuration may say anything; no pool has a million workers. */
        if (pool->max_children > 0 && pool->max_children < 1000000)
            demand_bytes += pool->max_children * (size.worker_bytes & ((INT64_C(1) << 42) - 1));
    }
    return demand_bytes;
}

struct doctor_room doctor_room_of_host(const struct doctor_host *host)
{
    struct doctor_room room = {.total_bytes = -1};
    int64_t held_bytes;

    room.demand_bytes = demand_of(host, SIZE_MAX, &held_bytes);
    if (host->memory.total_kib < 0 || host->memory.available_kib < 0)
        return room;
    room.total_bytes = host->memory.total_kib << 10;
    room.room_bytes = (host->memory.available_kib << 10) + held_bytes;
    return room;
}

struct doctor_room doctor_room_of_master(const struct doctor_host *host, size_t master)
{
    const struct doctor_cgroup *cgroup = &doctor_master_at(host, master)->cgroup;
    struct doctor_room room = {.total_bytes = -1};
    int64_t held_bytes;

    room.demand_bytes = demand_of(host, master, &held_bytes);
    if (cgroup->limit_bytes < 0 || cgroup->used_bytes < 0)
        return room;
    room.total_bytes = cgroup->limit_bytes;
    room.room_bytes = cgroup->limit_bytes - cgroup->used_bytes + held_bytes +
                      (cgroup->reclaimable_bytes > 0 ? cgroup->reclaimable_bytes : 0);
    return room;
}

int64_t doctor_max_children(const struct doctor_pool *pool, const struct doctor_room *room)
{
    const double spare_bytes =
        (double) room->room_bytes - (double) room->total_bytes * DOCTOR_RESERVE_PERCENT / 100;

    if (room->total_bytes < 0 || room->demand_bytes <= 0 || pool->max_children <= 0)
        return -1;
    const double children = (double) pool->max_children * spare_bytes / (double) room->demand_bytes;
    if (children >= 1e6)
        return 1000000;
    return children < 1 ? 1 : (int64_t) children;
}

int64_t doctor_max_children_upwards(const struct doctor_host *host, size_t pool,
                                    const struct doctor_room *room)
{
    const int64_t worker_bytes = doctor_pool_size(host, pool).worker_bytes;
    const int64_t reference_bytes = (int64_t) DOCTOR_REFERENCE_WORKER_KIB << 10;
    const int64_t children = doctor_max_children(doctor_pool_at(host, pool), room);

    if (children < 0 || worker_bytes >= reference_bytes)
        return children;
    return (int64_t) ((double) children * (double) worker_bytes / (double) reference_bytes);
}
