/* doctor_memory.c - does memory suffice, who holds it, what did the kernel do about it. */
#include "analyze/doctor/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/doctor/doctor_commands.h"
#include "analyze/doctor/doctor_sizing.h"

enum {
    LARGE_WORKERS_FACTOR = 2, /* times the reference: somebody holds memory */
    NEAR_PERCENT = 90,        /* of what there is: near */
    SWAP_USED_WARN_PERCENT = 20,
    HOLDERS_SHOWN = 5,
    OOM_ADJ_LIKELY = 200, /* of -1000 to 1000: the kernel takes this one for a fifth larger */
};

static const char *name_of(const struct doctor_pool *pool)
{
    return pool->name ? pool->name : "?";
}

void doctor_check_worker_memory(const struct doctor_host *host, struct doctor_finding *finding)
{
    const int64_t reference_bytes = (int64_t) DOCTOR_REFERENCE_WORKER_KIB << 10;
    char mean[DOCTOR_AMOUNT_BYTES], largest[DOCTOR_AMOUNT_BYTES], need[DOCTOR_AMOUNT_BYTES];
    bool measured = false;

    for (size_t i = 0; i < host->pools.count; i++) {
        const struct doctor_pool_size size = doctor_pool_size(host, i);
        const bool large = size.mean_rss_bytes > reference_bytes * LARGE_WORKERS_FACTOR;

        if (!size.measured)
            continue;
        measured = true;
        doctor_raise(finding, large ? DOCTOR_WARN : DOCTOR_OK,
                     "pool %s: %lld worker%s, RSS %s on average, %s the largest (63 MB are usual "
                     "for a Magento shop); one needs %s%s",
                     name_of(doctor_pool_at(host, i)), (long long) size.workers,
                     size.workers == 1 ? "" : "s",
                     doctor_amount(size.mean_rss_bytes, mean, sizeof mean),
                     doctor_amount(size.largest_rss_bytes, largest, sizeof largest),
                     doctor_amount(size.worker_bytes, need, sizeof need),
                     size.by_share ? "" : " (shared memory counted in full: PSS not readable)");
        if (large)
            doctor_fix_in(finding, name_of(doctor_pool_at(host, i)),
                          "fpmscope summary names the routes and modules that hold it; until "
                          "then pm.max_requests = 500 in pool ");
    }
    if (!measured)
        doctor_skip(finding, "no worker to measure");
}

static void say_pools(const struct doctor_host *host, size_t master, const struct doctor_room *room,
                      struct doctor_finding *finding)
{
    char each[DOCTOR_AMOUNT_BYTES], all[DOCTOR_AMOUNT_BYTES], total[DOCTOR_AMOUNT_BYTES];

    for (size_t i = 0; i < host->pools.count; i++) {
        const struct doctor_pool *pool = doctor_pool_at(host, i);
        const struct doctor_pool_size size = doctor_pool_size(host, i);

        if ((master != SIZE_MAX && pool->master != master) || pool->max_children <= 0)
            continue;
        doctor_say(
            finding, "pool %s: %lld workers x %s = %s of %s%s", name_of(pool),
            (long long) pool->max_children, doctor_amount(size.worker_bytes, each, sizeof each),
            doctor_amount(size.worker_bytes * (pool->max_children % 1000000), all, sizeof all),
            doctor_amount(room->total_bytes, total, sizeof total),
            size.measured ? "" : " (no worker measured: 63 MB taken)");
    }
}

static void fix_pools(const struct doctor_host *host, size_t master, const struct doctor_room *room,
                      struct doctor_finding *finding)
{
    char command[DOCTOR_COMMAND_BYTES];

    if (finding->fix[0]) /* of the host; its control groups are within */
        return;
    doctor_command(host, DOCTOR_COMMAND_MORE_MEMORY, NULL, command, sizeof command);
    for (size_t i = 0; i < host->pools.count; i++) {
        const struct doctor_pool *pool = doctor_pool_at(host, i);
        const int64_t children = doctor_max_children(pool, room);

        if ((master == SIZE_MAX || pool->master == master) && children > 0 &&
            children < pool->max_children)
            doctor_fix_in(finding, name_of(pool), "pm.max_children = %lld (it is %lld) in pool ",
                          (long long) children, (long long) pool->max_children);
    }
    if (finding->fix[0])
        doctor_fix_also(finding, "or smaller workers, or %s", command);
}

/* Demand against room, for the host or for one master's group. */
static void judge_room(const struct doctor_host *host, size_t master,
                       const struct doctor_room *room, struct doctor_finding *finding)
{
    char demand[DOCTOR_AMOUNT_BYTES], free_text[DOCTOR_AMOUNT_BYTES];
    const double used = (double) room->demand_bytes * 100, have = (double) room->room_bytes;
    enum doctor_state state = DOCTOR_OK;

    if (used > have * 100)
        state = DOCTOR_FAIL;
    else if (used > have * NEAR_PERCENT)
        state = DOCTOR_WARN;
    say_pools(host, master, room, finding);
    doctor_raise(
        finding, state, "%s at pm.max_children, %s free for them%s",
        doctor_amount(room->demand_bytes, demand, sizeof demand),
        doctor_amount(room->room_bytes > 0 ? room->room_bytes : 0, free_text, sizeof free_text),
        master == SIZE_MAX ? "" : " under the control group's limit");
    if (state >= DOCTOR_WARN) {
        fix_pools(host, master, room, finding);
        return;
    }
    for (size_t i = 0; i < host->pools.count; i++) {
        const struct doctor_pool *pool = doctor_pool_at(host, i);
        const int64_t children = doctor_max_children_upwards(host, i, room);

        if ((master == SIZE_MAX || pool->master == master) && children > pool->max_children)
            doctor_say(
                finding,
                "pool %s: memory would carry pm.max_children = %lld of 63 MB or its own size",
                name_of(pool), (long long) children);
    }
}

void doctor_check_pool_memory(const struct doctor_host *host, struct doctor_finding *finding)
{
    const struct doctor_room room = doctor_room_of_host(host);

    if (host->pools.count == 0 || room.demand_bytes == 0) {
        doctor_skip(finding, "no pool with pm.max_children is known");
        return;
    }
    if (room.total_bytes < 0) {
        doctor_skip(finding, "/proc/meminfo cannot be read");
        return;
    }
    judge_room(host, SIZE_MAX, &room, finding);
    for (size_t i = 0; i < host->masters.count; i++) {
        const struct doctor_room limited = doctor_room_of_master(host, i);

        if (limited.total_bytes >= 0 && limited.demand_bytes > 0)
            judge_room(host, i, &limited, finding);
    }
}

void doctor_check_swap(const struct doctor_host *host, struct doctor_finding *finding)
{
    const int64_t total_kib = host->memory.swap_total_kib;
    const int64_t used_kib = total_kib - host->memory.swap_free_kib;
    char used[DOCTOR_AMOUNT_BYTES], total[DOCTOR_AMOUNT_BYTES];

    if (total_kib < 0 || host->memory.swap_free_kib < 0) {
        doctor_skip(finding, "/proc/meminfo does not tell");
        return;
    }
    if (total_kib == 0) {
        doctor_say(finding, "no swap: when memory ends the kernel kills at once");
        return;
    }
    doctor_raise(
        finding, used_kib * 100 > total_kib * SWAP_USED_WARN_PERCENT ? DOCTOR_WARN : DOCTOR_OK,
        "%s of %s swap used, swappiness %lld", doctor_amount(used_kib << 10, used, sizeof used),
        doctor_amount(total_kib << 10, total, sizeof total), (long long) host->memory.swappiness);
    if (finding->state >= DOCTOR_WARN)
        doctor_fix(finding, "workers in swap are slow and fill the pool: fewer workers (see "
                            "pool_memory); then swapoff -a && swapon -a");
}

void doctor_check_cgroup(const struct doctor_host *host, struct doctor_finding *finding)
{
    char used[DOCTOR_AMOUNT_BYTES], limit[DOCTOR_AMOUNT_BYTES];

    if (host->masters.count == 0)
        doctor_skip(finding, "no php-fpm runs");
    for (size_t i = 0; i < host->masters.count; i++) {
        const struct doctor_master *master = doctor_master_at(host, i);
        const struct doctor_cgroup *group = &master->cgroup;
        const int64_t firm_bytes =
            group->used_bytes - (group->reclaimable_bytes > 0 ? group->reclaimable_bytes : 0);

        if (group->limit_bytes < 0) {
            doctor_say(finding, "master %lld: %s", (long long) master->pid,
                       group->version ? "no memory limit around it"
                                      : "its control group is not known");
            continue;
        }
        const bool near = (double) firm_bytes * 100 > (double) group->limit_bytes * NEAR_PERCENT;
        doctor_raise(finding, near ? DOCTOR_FAIL : DOCTOR_OK,
                     "master %lld: %s of %s used in %s (cgroup v%d)", (long long) master->pid,
                     doctor_amount(firm_bytes, used, sizeof used),
                     doctor_amount(group->limit_bytes, limit, sizeof limit),
                     group->path ? group->path : "/", group->version);
        if (near)
            doctor_fix(finding,
                       "raise the limit (systemd: MemoryMax= of the unit; docker: --memory) "
                       "or lower pm.max_children");
    }
}

void doctor_check_oom_score(const struct doctor_host *host, struct doctor_finding *finding)
{
    bool known = false;

    for (size_t i = 0; i < host->masters.count; i++) {
        const struct doctor_master *master = doctor_master_at(host, i);
        const bool likely = master->oom_score_adj >= OOM_ADJ_LIKELY;

        if (master->oom_score_adj == INT64_MIN)
            continue;
        known = true;
        doctor_raise(finding, likely ? DOCTOR_WARN : DOCTOR_OK, "master %lld: oom_score_adj %lld%s",
                     (long long) master->pid, (long long) master->oom_score_adj,
                     master->oom_score_adj <= -900 ? ": the kernel spares it, others die first"
                                                   : "");
        if (likely)
            doctor_fix(finding, "OOMScoreAdjust=0 in the unit of php-fpm, then restart it");
    }
    if (!known)
        doctor_skip(finding, "%s", host->masters.count ? "not readable" : "no php-fpm runs");
}

/* What shows who held the memory, from the logs that this host has. */
static const char *command_of_oom(const struct doctor_host *host, char *buf, size_t cap)
{
    const char *kernel_log = host->kernel.readable_path, *access_log = "";

    for (size_t i = 0; i < host->logs.count; i++) {
        const struct doctor_log *log = array_at(&host->logs, i);

        if (!log->problem && log->format && strstr(log->format, "access log")) {
            access_log = log->path;
            break;
        }
    }
    if (!kernel_log)
        snprintf(buf, cap, "dmesg | fpmscope 502 --all - %s", access_log);
    else
        snprintf(buf, cap, "fpmscope 502 --all %s %s",
                 kernel_log[0] == '/' ? kernel_log : "journal:", access_log);
    return buf;
}

void doctor_check_oom_kills(const struct doctor_host *host, struct doctor_finding *finding)
{
    const struct doctor_kernel_log *kernel = &host->kernel;
    char command[DOCTOR_LINE_BYTES];

    for (size_t i = 0; i < host->masters.count; i++) {
        const struct doctor_cgroup *group = &doctor_master_at(host, i)->cgroup;

        if (group->oom_kills > 0)
            doctor_raise(finding, DOCTOR_FAIL,
                         "the kernel killed for memory in php-fpm's control group, %lld times (%s)",
                         (long long) group->oom_kills, group->path ? group->path : "/");
    }
    if (kernel->php_oom_lines > 0)
        doctor_raise(finding, DOCTOR_FAIL,
                     "the kernel's log tells of php-fpm killed for memory, %lld times",
                     (long long) kernel->php_oom_lines);
    if (host->memory.oom_kills > 0)
        doctor_raise(finding, DOCTOR_WARN,
                     "the kernel killed for memory on this host, %lld times since its start",
                     (long long) host->memory.oom_kills);
    else if (kernel->oom_lines > kernel->php_oom_lines)
        doctor_raise(finding, DOCTOR_WARN, "the kernel's log tells of OOM kills, %lld times",
                     (long long) kernel->oom_lines);
    if (kernel->last_oom)
        doctor_say(finding, "the last: %s", kernel->last_oom);
    if (finding->state > DOCTOR_OK)
        doctor_fix(finding, "%s says who held the memory; see pool_memory and memory_holders",
                   command_of_oom(host, command, sizeof command));
    else if (host->memory.oom_kills < 0)
        doctor_skip(finding, "/proc/vmstat does not count them, and no kernel log was found");
    else
        doctor_say(finding, "none since the host was started");
}

static int by_rss(const void *a, const void *b)
{
    const struct doctor_group *x = a, *y = b;

    return (x->rss_kib < y->rss_kib) - (x->rss_kib > y->rss_kib);
}

/* Names under which MySQL and MariaDB run. */
static bool is_database(const char *name)
{
    return strcmp(name, "mysqld") == 0 || strcmp(name, "mariadbd") == 0;
}

static void judge_holder(const struct doctor_host *host, const struct doctor_group *group,
                         struct doctor_finding *finding)
{
    const bool most = host->memory.total_kib > 0 && group->rss_kib > host->memory.total_kib / 2;
    char held[DOCTOR_AMOUNT_BYTES], command[DOCTOR_COMMAND_BYTES];

    doctor_raise(finding, most ? DOCTOR_WARN : DOCTOR_OK, "%s: %s RSS in %lld process%s%s",
                 group->name, doctor_amount(group->rss_kib << 10, held, sizeof held),
                 (long long) group->processes, group->processes == 1 ? "" : "es",
                 most ? ", more than half of all memory" : "");
    if (most && is_database(group->name))
        doctor_fix(
            finding, "smaller buffers (innodb_buffer_pool_size); %s frees its caches",
            doctor_command(host, DOCTOR_COMMAND_RESTART_MYSQL, NULL, command, sizeof command));
    else if (most)
        doctor_fix(finding, "look at %s first: pgrep -x '%s' | xargs ps -o pid,rss,etime,args -p",
                   group->name, group->name);
}

void doctor_check_memory_holders(const struct doctor_host *host, struct doctor_finding *finding)
{
    const size_t count = host->groups.count;
    struct doctor_group *sorted = malloc((count + 1) * sizeof *sorted);

    if (!sorted || count == 0) {
        doctor_skip(finding, "/proc cannot be read");
        free(sorted);
        return;
    }
    memcpy(sorted, host->groups.items, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_rss);
    for (size_t i = 0; i < count && i < HOLDERS_SHOWN; i++)
        judge_holder(host, &sorted[i], finding);
    free(sorted);
}
