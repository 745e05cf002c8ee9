/*
 * doctor_host.h - a host as `fpmscope doctor` found it: facts, no opinions.
 *
 * Readers at the edge (cli/doctor_*) fill it, checks (doctor.def) read it.  What could not be found
 * out is -1 in a number and NULL in a text; where a reader knows why, a `why_...` says it.  Texts
 * are NUL-terminated, hostile, and live in `texts`.
 */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_HOST_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"

enum {
    DOCTOR_MASTERS_MAX = 64,
    DOCTOR_POOLS_MAX = 256,
    DOCTOR_WORKERS_MAX = 4096,
    DOCTOR_GROUPS_MAX = 512,
    DOCTOR_LOGS_MAX = 256,
    DOCTOR_HOPS_MAX = 512,
    DOCTOR_NAMES_MAX = 512, /* of a list of names: extensions, libraries */
    DOCTOR_TEXTS_MAX_BYTES = 4 << 20,
};

/* A limit on memory around a process: the tightest one between it and the root. */
struct doctor_cgroup {
    int version;                     /* 1, 2; 0: none known */
    const char *path;                /* where that limit is */
    int64_t limit_bytes, used_bytes; /* limit -1: none */
    int64_t reclaimable_bytes;       /* page cache within `used_bytes` */
    int64_t oom_kills;               /* since the group was made */
};

/* A php-fpm master process. */
struct doctor_master {
    int64_t pid;
    const char *name;              /* "php-fpm8.2", as the kernel calls it */
    const char *executable;        /* path */
    const char *config;            /* path of php-fpm.conf */
    const char *version;           /* "8.2.36" */
    const char *why_no_version;    /* why it was not asked */
    int zts, debug, jit;           /* 1, 0, -1 */
    bool executable_replaced;      /* the file was replaced since the start */
    bool other_namespace;          /* it sees other files than we do (a container) */
    int shim;                      /* libfpmscope.so mapped: 1, 0, -1 */
    bool shim_replaced;            /* the mapped one is no longer the file on disk */
    const char *preload;           /* LD_PRELOAD as far as it can still be read */
    struct array libraries;        /* of const char *: base names of mapped files */
    struct array modules;          /* of const char *: what `php-fpm -m` prints */
    int64_t workers, workers_seen; /* children; those whose maps could be read ... */
    int64_t workers_with_shim;     /* ... and of these the ones that have it */
    int64_t oom_score_adj;         /* INT64_MIN: not known */
    int64_t process_control_timeout_s, emergency_restart_threshold, emergency_restart_interval_s;
    int64_t config_skipped; /* files or pools that could not be read or kept */
    struct doctor_cgroup cgroup;
};

enum doctor_manager { DOCTOR_MANAGER_UNKNOWN, DOCTOR_STATIC, DOCTOR_DYNAMIC, DOCTOR_ONDEMAND };

struct doctor_pool {
    size_t master; /* index */
    const char *name, *listen;
    enum doctor_manager manager;
    int64_t max_children, max_requests, listen_backlog, request_terminate_timeout_s;
    int64_t memory_limit_bytes;
};

/* A worker process. */
struct doctor_worker {
    size_t master;
    int64_t pid;
    const char *pool;
    int64_t rss_kib, pss_kib; /* PSS: shared pages counted by their share */
    int64_t peak_rss_kib;     /* VmHWM */
};

/* All processes of one name. */
struct doctor_group {
    const char *name;
    int64_t processes, rss_kib;
};

struct doctor_memory {
    int64_t total_kib, available_kib, swap_total_kib, swap_free_kib;
    int64_t swappiness;
    int64_t oom_kills; /* of the whole host since boot (/proc/vmstat) */
    int64_t somaxconn;
};

/* A log that a configuration names or the caller gave. */
struct doctor_log {
    const char *path;
    const char *problem;    /* why it cannot be read; NULL */
    const char *format;     /* what it was recognised as; NULL: not recognised, or nothing in it */
    const char *log_format; /* nginx's string for it, when it is one of its access logs */
    bool missing, empty;
};

/* A block of nginx that hands requests on. */
struct doctor_hop {
    bool fastcgi;             /* fastcgi_pass; else proxy_pass */
    const char *pass, *where; /* "unix:/run/php/fpm.sock"; FILE:LINE */
    const char *server;       /* the first server_name, or "" */
    bool has_request_id;      /* php-fpm, or the next hop, is told the id */
    bool hides_request_id; /* it would be, but a param of the block itself hides the outer ones */
    bool to_varnish;
    int64_t buffer_size_bytes; /* of response headers: fastcgi_buffer_size or proxy_buffer_size */
    int64_t read_timeout_s;
};

struct doctor_nginx {
    int64_t pid; /* of the first master, -1: none */
    int64_t masters;
    bool known; /* a configuration was read */
    const char *why_unknown;
    struct array hops;                   /* struct doctor_hop */
    struct array access_logs_without_id; /* const char *: paths whose format has no request id */
    int64_t access_logs;
    int64_t skipped; /* of the configuration */
};

struct doctor_varnish {
    int64_t pid; /* of varnishd, -1: not running */
    bool installed;
    const char *enabled_setting; /* what the platform says, one line */
    struct array backends;       /* struct doctor_backend */
    const char *why_no_backends;
    int64_t http_resp_hdr_len_bytes, http_resp_size_bytes;
};

struct doctor_backend {
    const char *address; /* host:port */
    int reachable;       /* 1, 0, -1 */
    const char *problem;
};

struct doctor_kernel_log {
    const char *readable_path;        /* a log of the kernel that we can read */
    const char *unreadable_path;      /* one that is there and that we cannot read */
    const char *unreadable_group;     /* the group that may read it */
    const char *journal_problem;      /* why the journal, being there, could not be read */
    int dmesg_readable;               /* 1, 0, -1 */
    int64_t oom_lines, php_oom_lines; /* recent kills that it tells of */
    const char *last_oom;             /* the last of them, as printed */
};

struct doctor_collector {
    const char *socket, *data, *pages;
    bool reachable;
    bool denied; /* not ours to see: socket or store */
    const char *socket_problem;
    bool has_store;
    const char *store_problem;
    int64_t store_bytes, newest_age_us; /* -1: no event */
    bool pages_exist, pages_on_tmpfs;
};

struct doctor_host {
    struct arena texts;
    bool hypernode, root;
    struct array masters, pools, workers, groups, logs; /* of the structs above */
    struct doctor_memory memory;
    struct doctor_nginx nginx;
    struct doctor_varnish varnish;
    struct doctor_kernel_log kernel;
    struct doctor_collector collector;
    const char *shim_path;     /* where this program finds libfpmscope.so; NULL: nowhere */
    const char *ld_so_preload; /* what /etc/ld.so.preload holds */
};

/* A host of which nothing is known; NULL without memory. */
struct doctor_host *doctor_host_new(void);
void doctor_host_free(struct doctor_host *host);

/* A new master, of which only the pid is known; NULL above the ceiling. */
struct doctor_master *doctor_host_add_master(struct doctor_host *host, int64_t pid);
struct doctor_pool *doctor_host_add_pool(struct doctor_host *host, size_t master, const char *name);

/* A copy of the text in the host; NULL when it is full or the text is. */
const char *doctor_host_text(struct doctor_host *host, struct slice text);

/* Add a copy of `name` to a list of names, unless it is there; what finds no room is counted. */
void doctor_host_add_name(struct doctor_host *host, struct array *names, struct slice name);

static inline const struct doctor_master *doctor_master_at(const struct doctor_host *host, size_t i)
{
    return array_at(&host->masters, i);
}

static inline const struct doctor_pool *doctor_pool_at(const struct doctor_host *host, size_t i)
{
    return array_at(&host->pools, i);
}

static inline const struct doctor_hop *doctor_hop_at(const struct doctor_host *host, size_t i)
{
    return array_at(&host->nginx.hops, i);
}

#endif
