/*
 * doctor_readers.h - the eyes of `fpmscope doctor`: each looks at one part of the host and fills
 * that part of the facts.  What cannot be read stays "not known" with a reason; nothing fails.
 */
#ifndef FPMSCOPE_CLI_DOCTOR_DOCTOR_READERS_H
#define FPMSCOPE_CLI_DOCTOR_DOCTOR_READERS_H

#include <limits.h>

#include "analyze/doctor/doctor_host.h"

enum { DOCTOR_PIDS_MAX = 64, DOCTOR_REQUEST_LOGS_MAX = 64 };

/* What the user asked for. */
struct doctor_request {
    char socket[PATH_MAX], data[PATH_MAX];
    int64_t fpm_pids[DOCTOR_PIDS_MAX]; /* look at these masters only; none: at all */
    size_t fpm_pids_count;
    int64_t nginx_pid, varnish_pid; /* 0: the first that is found */
    const char *logs[DOCTOR_REQUEST_LOGS_MAX];
    size_t logs_count;
};

/* A process that is one of ours to look at. */
struct doctor_process {
    int64_t pid, parent;
    const char *name;  /* /proc/PID/comm */
    const char *title; /* its command line, NULs as blanks */
};

enum { DOCTOR_PROCESSES_MAX = 8192 };

/* What readers tell each other. */
struct doctor_reading {
    const struct doctor_request *request;
    struct doctor_host *host;
    struct array fpm, nginx, varnish; /* of struct doctor_process */
    struct slice nginx_text;          /* what nginx -T printed; malloc'ed */
    char *fpm_logs;                   /* log paths of php-fpm, one a line; malloc'ed */
    size_t fpm_logs_bytes;
};

/* In this order: later ones use what earlier ones found. */
void doctor_read_processes(struct doctor_reading *reading);
void doctor_read_fpm(struct doctor_reading *reading);
void doctor_read_nginx(struct doctor_reading *reading);
void doctor_read_varnish(struct doctor_reading *reading);
void doctor_read_memory(struct doctor_reading *reading);
void doctor_read_collector(struct doctor_reading *reading);
void doctor_read_kernel(struct doctor_reading *reading);
void doctor_read_logs(struct doctor_reading *reading);

/* Control groups of one process (doctor_read_cgroup.c). */
void doctor_read_cgroup(struct doctor_host *host, int64_t pid, struct doctor_cgroup *ret_group);

/* Everything above.  NULL without memory. */
struct doctor_host *doctor_read_host(const struct doctor_request *request);

#endif
