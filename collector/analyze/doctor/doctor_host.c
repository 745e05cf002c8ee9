/* doctor_host.c - a host of which nothing is known yet, and its texts. */
#include "analyze/doctor/doctor_host.h"

#include <stdlib.h>

static void init_lists(struct doctor_host *host)
{
    array_init(&host->masters, sizeof(struct doctor_master), DOCTOR_MASTERS_MAX);
    array_init(&host->pools, sizeof(struct doctor_pool), DOCTOR_POOLS_MAX);
    array_init(&host->workers, sizeof(struct doctor_worker), DOCTOR_WORKERS_MAX);
    array_init(&host->groups, sizeof(struct doctor_group), DOCTOR_GROUPS_MAX);
    array_init(&host->logs, sizeof(struct doctor_log), DOCTOR_LOGS_MAX);
    array_init(&host->nginx.hops, sizeof(struct doctor_hop), DOCTOR_HOPS_MAX);
    array_init(&host->nginx.access_logs_without_id, sizeof(const char *), DOCTOR_NAMES_MAX);
    array_init(&host->varnish.backends, sizeof(struct doctor_backend), DOCTOR_HOPS_MAX);
}

struct doctor_host *doctor_host_new(void)
{
    struct doctor_host *host = calloc(1, sizeof *host);

    if (!host)
        return NULL;
    arena_init(&host->texts, DOCTOR_TEXTS_MAX_BYTES);
    init_lists(host);
    host->memory = (struct doctor_memory){.total_kib = -1,
                                          .available_kib = -1,
                                          .swap_total_kib = -1,
                                          .swap_free_kib = -1,
                                          .swappiness = -1,
                                          .oom_kills = -1,
                                          .somaxconn = -1};
    host->nginx.pid = host->varnish.pid = -1;
    host->varnish.http_resp_hdr_len_bytes = host->varnish.http_resp_size_bytes = -1;
    host->kernel.dmesg_readable = -1;
    host->collector.newest_age_us = -1;
    return host;
}

void doctor_host_free(struct doctor_host *host)
{
    if (!host)
        return;
    for (size_t i = 0; i < host->masters.count; i++) {
        struct doctor_master *master = array_at(&host->masters, i);

        array_release(&master->libraries);
        array_release(&master->modules);
    }
    array_release(&host->masters);
    array_release(&host->pools);
    array_release(&host->workers);
    array_release(&host->groups);
    array_release(&host->logs);
    array_release(&host->nginx.hops);
    array_release(&host->nginx.access_logs_without_id);
    array_release(&host->varnish.backends);
    arena_release(&host->texts);
    free(host);
}

struct doctor_master *doctor_host_add_master(struct doctor_host *host, int64_t pid)
{
    struct doctor_master *master = array_add(&host->masters);

    if (!master)
        return NULL;
    *master = (struct doctor_master){
        .pid = pid,
        .zts = -1,
        .debug = -1,
        .jit = -1,
        .shim = -1,
        .oom_score_adj = INT64_MIN,
        .process_control_timeout_s = -1,
        .emergency_restart_threshold = -1,
        .emergency_restart_interval_s = -1,
        .cgroup = {.limit_bytes = -1, .used_bytes = -1, .reclaimable_bytes = -1, .oom_kills = -1}};
    array_init(&master->libraries, sizeof(const char *), DOCTOR_NAMES_MAX);
    array_init(&master->modules, sizeof(const char *), DOCTOR_NAMES_MAX);
    return master;
}

struct doctor_pool *doctor_host_add_pool(struct doctor_host *host, size_t master, const char *name)
{
    struct doctor_pool *pool = array_add(&host->pools);

    if (!pool)
        return NULL;
    *pool = (struct doctor_pool){.master = master,
                                 .name = name,
                                 .max_children = -1,
                                 .max_requests = -1,
                                 .listen_backlog = -1,
                                 .request_terminate_timeout_s = -1,
                                 .memory_limit_bytes = -1};
    return pool;
}

const char *doctor_host_text(struct doctor_host *host, struct slice text)
{
    return text.len_bytes > 0 ? arena_copy(&host->texts, text).ptr : NULL;
}

void doctor_host_add_name(struct doctor_host *host, struct array *names, struct slice name)
{
    const char *copy, **place;

    for (size_t i = 0; i < names->count; i++)
        if (slice_equal(slice_of(*(const char **) array_at(names, i)), name))
            return;
    copy = doctor_host_text(host, name);
    place = copy ? array_add(names) : NULL;
    if (place)
        *place = copy;
}
