/*
 * log_event.h - what one line (or one varnishlog transaction) of somebody else's log says.
 *
 * collector/logs turns bytes into these, collector/analyze turns these into verdicts.  Everything
 * is hostile input that has been cut and typed, nothing has been believed.  Texts borrow from the
 * reader's buffer; a consumer that keeps an event copies it.
 *
 * A parser fills the whole event: every number that its line does not give is -1, every text it
 * does not give is empty, every flag false (log_event_init).
 */
#ifndef FPMSCOPE_MODEL_LOG_EVENT_H
#define FPMSCOPE_MODEL_LOG_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum log_kind {
    LOG_ACCESS,      /* nginx access line, any format */
    LOG_NGINX_ERROR, /* nginx error.log line */
    LOG_FPM,         /* php-fpm.log line (master) */
    LOG_PHP_ERROR,   /* PHP's own error log */
    LOG_PHP_SLOW,    /* one block of php-fpm's slow log */
    LOG_KERNEL,      /* kernel or systemd line: segfault, general protection, OOM, unit ended */
    LOG_VARNISH,     /* one transaction of varnishlog */
    LOG_NCSA,        /* varnishncsa line */
    LOG_VARNISHD,    /* varnishd's own output: child died, panic */
    LOG_KIND_COUNT
};

enum { LOG_UPSTREAMS_MAX = 8 };

/* -1 in a number and an empty slice in a text mean "the line does not say". */
struct log_access {
    struct slice request;               /* the request line as logged */
    struct slice method, uri, protocol; /* uri: as the client sent it */
    struct slice host, server_name, remote_addr, remote_user, user_agent, referer;
    struct slice handler, port, request_id, country;
    struct slice cache_status, completion; /* $upstream_cache_status; $request_completion: OK */
    bool uri_rewritten;                    /* the line has $uri only: not what the client sent */
    int status;
    int64_t body_bytes, connection, nginx_pid; /* connection: *N of the error log */
    int64_t request_time_us; /* how long nginx worked on it; the line's time is its end */
    int64_t request_time_precision_us;
    int upstream_count; /* parallel lists: "502, 200" */
    int upstream_status[LOG_UPSTREAMS_MAX];
    int64_t upstream_time_us[LOG_UPSTREAMS_MAX];
    struct slice upstream_addr[LOG_UPSTREAMS_MAX];
};

enum log_nginx_cause {
    NGINX_OTHER,
    NGINX_RESET,           /* recv() or readv() failed (104) */
    NGINX_CLOSED_EARLY,    /* upstream prematurely closed connection */
    NGINX_CONNECT_ENOENT,  /* connect() failed (2) */
    NGINX_CONNECT_REFUSED, /* connect() failed (111) */
    NGINX_CONNECT_EAGAIN,  /* connect() failed (11): backlog full */
    NGINX_CONNECT_TIMEOUT, /* timed out while connecting to upstream */
    NGINX_READ_TIMEOUT,    /* timed out while reading (response header) from upstream */
    NGINX_HEADER_TOO_BIG,  /* upstream sent too big header */
    NGINX_STDERR,          /* FastCGI sent in stderr */
    NGINX_CONNECT_DENIED,  /* connect() failed (13): not permitted */
    NGINX_NO_LIVE,         /* no live upstreams: every server of the group has failed lately */
    NGINX_CONNECT_OTHER,   /* connect() failed for another reason */
};

struct log_nginx_error {
    enum log_nginx_cause cause;
    struct slice level, message;
    int64_t pid, connection; /* *N */
    struct slice client, server, method, uri, upstream, host, referer;
    bool fastcgi;      /* upstream: "fastcgi://..." */
    bool after_header; /* while reading upstream, that is after the headers were passed on */
};

enum log_fpm_what {
    FPM_OTHER,
    FPM_CHILD_SIGNAL,  /* child P exited on signal N */
    FPM_CHILD_EXIT,    /* child P exited with code N */
    FPM_TIMEOUT,       /* child P, script ... execution timed out, terminating */
    FPM_SLOW,          /* child P, script ... executing too slow */
    FPM_STARTED,       /* child P started */
    FPM_RUNNING,       /* fpm is running, pid N */
    FPM_READY,         /* ready to handle connections */
    FPM_RELOADING,     /* Reloading in progress */
    FPM_REEXEC,        /* reloading: execvp; also after "threshold is reached" */
    FPM_TERMINATING,   /* Terminating ... */
    FPM_FINISHING,     /* Finishing ... */
    FPM_BYE,           /* exiting, bye-bye! */
    FPM_MAX_CHILDREN,  /* server reached pm.max_children setting (N) */
    FPM_EMERGENCY,     /* failed processes threshold (N in S sec) is reached */
    FPM_STDERR,        /* child P said into stderr */
    FPM_STOPPED_TRACE, /* child P stopped for tracing, finished trace */
    FPM_KILLING,       /* (debug level) sending signal N to child P */
};

struct log_fpm {
    enum log_fpm_what what;
    struct slice level, pool, script, request, message;
    int64_t pid; /* of the child; of the master for FPM_RUNNING */
    int signo, code, limit;
    bool core;
    int64_t age_us; /* "after N seconds from start", or how long the request ran */
};

struct log_php_error {
    struct slice level, message, file; /* level: "PHP Fatal error", ... */
    int line;
    bool memory_limit; /* Allowed memory size of N bytes exhausted */
    bool uncaught;     /* Uncaught SomeException: ... */
    int64_t limit_bytes;
};

/* One block: its head, the script, the innermost PHP frame, and all of them as they stand. */
struct log_php_slow {
    struct slice pool, script, function, file;
    struct slice stack; /* lines "[0x...] function() FILE:LINE", innermost first */
    int64_t pid;
    int line;
};

enum log_kernel_what {
    KERNEL_OTHER,
    KERNEL_SEGFAULT,
    KERNEL_GENERAL_PROTECTION,
    KERNEL_OOM_INVOKED,  /* X invoked oom-killer */
    KERNEL_OOM_TASK,     /* a row of the task dump */
    KERNEL_OOM_SUMMARY,  /* oom-kill:constraint=... */
    KERNEL_OOM_KILLED,   /* Killed process P (name) */
    KERNEL_UNIT_OOM,     /* systemd: a process of this unit has been killed by the OOM killer */
    KERNEL_UNIT_EXITED,  /* systemd: Main process exited, code=killed, status=9/KILL */
    KERNEL_UNIT_RESTART, /* systemd: Scheduled restart job; Started, Stopped, Starting, Stopping */
    KERNEL_UNIT_RELOAD,  /* systemd: Reloading, Reloaded */
};

struct log_kernel {
    enum log_kernel_what what;
    struct slice comm, module, constraint, task_memcg, unit; /* unit: php8.2-fpm.service */
    int64_t pid, rss_kib, anon_rss_kib, total_vm_kib, oom_score_adj, uid;
    uint64_t addr, ip, sp, module_base, module_offset; /* 0 when unknown; offset: in the module */
    int error, signo;
    int64_t uptime_us; /* since boot, -1 when the line has no such stamp */
    bool uptime_clock; /* the line has no other time: time_us is since boot, not since the epoch */
};

/* One varnishlog transaction, or a varnishncsa line with the fields that it has. */
struct log_varnish {
    int64_t vxid, parent_vxid;
    bool backend; /* BeReq: Varnish -> nginx; else client -> Varnish */
    struct slice method, uri, host, request_id, client, user_agent, fetch_error, backend_name;
    struct slice received; /* why the backend connection was closed, when it was not recycled */
    int status;
    int64_t start_us, duration_us, body_bytes;
    bool hit, piped, passed;
};

enum log_varnishd_what {
    VARNISHD_OTHER,
    VARNISHD_CHILD_DIED, /* died without a panic message; varnishd prints no time: time_us is -1 */
    VARNISHD_PANIC,      /* died (signo) and said why (message); the panic message has the time */
    VARNISHD_CHILD_STARTED,
    VARNISHD_STOPPED, /* the manager was told to stop */
};

struct log_varnishd {
    enum log_varnishd_what what;
    int64_t pid;
    int signo;
    struct slice message;
};

struct log_event {
    enum log_kind kind;
    int64_t time_us; /* UTC; of the request's end for an access line; -1: not in the line */
    int64_t time_precision_us; /* 1 s -> 1000000 */
    bool zone_known;           /* false: the line has no time zone, the reader's was assumed */
    bool zone_printed;         /* the line itself says its zone; an epoch (msec) does not */
    int32_t zone_offset_s;     /* east of UTC, as in the line or as assumed; time_us has it out */
    int file;                  /* index of the source given to the reader */
    int64_t offset_bytes;      /* where the line begins in its (unpacked) file */
    int64_t uri_hash;          /* of the URI before it was masked (uri_hash.h); 0: not known */
    struct slice line;
    union {
        struct log_access access;
        struct log_nginx_error nginx;
        struct log_fpm fpm;
        struct log_php_error php;
        struct log_php_slow slow;
        struct log_kernel kernel;
        struct log_varnish varnish; /* LOG_VARNISH and LOG_NCSA */
        struct log_varnishd varnishd;
    };
};

/* `*event` as nothing but its kind: numbers -1, texts empty, flags false. */
void log_event_init(struct log_event *event, enum log_kind kind);

#endif
