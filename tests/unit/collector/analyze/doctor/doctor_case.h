/* doctor_case.h - a small healthy host, and the finding of one check about it. */
#ifndef FPMSCOPE_TESTS_DOCTOR_CASE_H
#define FPMSCOPE_TESTS_DOCTOR_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/doctor/doctor.h"

/* One master under the shim, pool www of 20 workers x 100 MB, 8 GB of memory, nginx that tells. */
static inline struct doctor_host *case_healthy(void)
{
    struct doctor_host *host = doctor_host_new();
    struct doctor_master *master = doctor_host_add_master(host, 100);
    struct doctor_pool *pool = doctor_host_add_pool(host, 0, "www");

    master->executable = "/usr/sbin/php-fpm8.2";
    master->config = "/etc/php/8.2/fpm/php-fpm.conf";
    master->version = "8.2.36";
    master->zts = master->debug = master->jit = 0;
    master->shim = 1;
    master->workers = master->workers_seen = master->workers_with_shim = 2;
    master->oom_score_adj = 0;
    master->process_control_timeout_s = 30;
    master->emergency_restart_threshold = 0;
    doctor_host_add_name(host, &master->libraries, SLICE("libc.so.6"));
    pool->max_children = 20;
    pool->max_requests = 1000;
    pool->request_terminate_timeout_s = 70;
    for (int i = 0; i < 2; i++) {
        struct doctor_worker *worker = array_add(&host->workers);

        *worker = (struct doctor_worker){.master = 0,
                                         .pid = 101 + i,
                                         .pool = "www",
                                         .rss_kib = 110 << 10,
                                         .pss_kib = 100 << 10,
                                         .peak_rss_kib = 110 << 10};
    }
    host->memory = (struct doctor_memory){.total_kib = 8 << 20,
                                          .available_kib = 5 << 20,
                                          .swap_total_kib = 0,
                                          .swap_free_kib = 0,
                                          .swappiness = 60,
                                          .oom_kills = 0,
                                          .somaxconn = 4096};
    host->nginx.known = true;
    host->nginx.pid = 90;
    host->nginx.masters = 1;
    host->nginx.access_logs = 1;
    struct doctor_hop *hop = array_add(&host->nginx.hops);
    *hop = (struct doctor_hop){.fastcgi = true,
                               .pass = "unix:/run/fpm.sock",
                               .where = "/etc/nginx/site:7",
                               .server = "shop.test",
                               .has_request_id = true,
                               .buffer_size_bytes = 32768,
                               .read_timeout_s = 60};
    struct doctor_log *log = array_add(&host->logs);
    *log = (struct doctor_log){.path = "/var/log/nginx/access.log", .format = "nginx access log"};
    host->kernel.dmesg_readable = 1;
    host->collector = (struct doctor_collector){.socket = "/run/fpmscope/collector.sock",
                                                .data = "/var/lib/fpmscope",
                                                .pages = "/run/fpmscope/pages",
                                                .reachable = true,
                                                .has_store = true,
                                                .store_bytes = 1 << 20,
                                                .newest_age_us = 1000000,
                                                .pages_exist = true,
                                                .pages_on_tmpfs = true};
    struct doctor_group *group = array_add(&host->groups);
    *group = (struct doctor_group){.name = "mysqld", .processes = 1, .rss_kib = 1 << 20};
    return host;
}

static inline struct doctor_master *case_master(struct doctor_host *host)
{
    return array_at(&host->masters, 0);
}

static inline struct doctor_pool *case_pool(struct doctor_host *host)
{
    return array_at(&host->pools, 0);
}

static inline struct doctor_hop *case_hop(struct doctor_host *host)
{
    return array_at(&host->nginx.hops, 0);
}

/* What the check `id` finds on this host. */
static inline struct doctor_finding case_find(const struct doctor_host *host, const char *id)
{
    struct doctor_report report;
    struct doctor_finding finding;

    assert_int_equal(doctor_examine(host, &report), 0);
    assert_non_null(doctor_report_find(&report, id));
    finding = *doctor_report_find(&report, id);
    doctor_report_release(&report);
    return finding;
}

/* Some line of its evidence holds the words. */
static inline bool case_says(const struct doctor_finding *finding, const char *words)
{
    for (size_t i = 0; i < finding->evidence_count; i++)
        if (strstr(finding->evidence[i], words))
            return true;
    return false;
}

#define ASSERT_STATE(finding, wanted)                                                              \
    assert_string_equal(doctor_state_name((finding).state), wanted)
#define ASSERT_SAYS(finding, words)                                                                \
    do {                                                                                           \
        if (!case_says(&(finding), words))                                                         \
            fail_msg("'%s' is not said; first line: %s", words, (finding).evidence[0]);            \
    } while (0)
#define ASSERT_FIX(finding, words)                                                                 \
    do {                                                                                           \
        if (!strstr((finding).fix, words))                                                         \
            fail_msg("'%s' is not in the fix: %s", words, (finding).fix);                          \
    } while (0)

#endif
