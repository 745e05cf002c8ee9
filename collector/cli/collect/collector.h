/*
 * collector.h - the running collector: socket, sessions, logs and store on one loop.  `collect` is
 * this and nothing else; `run` adds the program that it watches.
 */
#ifndef FPMSCOPE_CLI_COLLECT_COLLECTOR_H
#define FPMSCOPE_CLI_COLLECT_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"

enum { COLLECTOR_LOGS_MAX = 64, COLLECTOR_MESSAGE_BYTES = 1024 };

/* All paths are borrowed for the life of the collector. */
struct collector_options {
    const char *socket_path, *data_path;
    const char *pages_path; /* NULL: where the shim looks by itself */
    const char *logs[COLLECTOR_LOGS_MAX];
    size_t log_count;
    const char *log_format;        /* nginx's, of the access logs among them; or NULL */
    const char *nginx_config_path; /* an nginx.conf whose logs to follow too, or NULL */
    const char *fpm_config_path;   /* a php-fpm.conf whose logs to follow too, or NULL */
    bool find_logs;                /* also those that nginx and php-fpm say they write */
    bool show_query;
    bool quiet;                  /* no line about what is being done; problems are always said */
    int64_t keep_days, keep_mib; /* 0: the store's defaults */
};

struct collector;

/* 0, or -errno after the reason has been printed to stderr.  -EBADMSG: the store is damaged deep
 * inside; it is marked, and the next try sets it aside and begins a new one. */
int collector_new(const struct collector_options *options, struct collector **ret_collector);

/* Write what waits, close, remove the socket.  NULL is allowed. */
void collector_free(struct collector *collector);

/* The loop has stopped because the store is damaged: free this one and make another. */
bool collector_is_spoiled(const struct collector *collector);

/* The loop it lives on: run it, stop it, add to it. */
struct loop *collector_loop(struct collector *collector);

#endif
