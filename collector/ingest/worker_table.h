/*
 * worker_table.h - the processes that the collector knows, by (pid, start time).
 *
 * An entry outlives its process by a minute, so that the master's word about the end finds it.
 * Ceiling: WORKERS_MAX entries; a further process is not kept and is counted by the caller.
 */
#ifndef FPMSCOPE_INGEST_WORKER_TABLE_H
#define FPMSCOPE_INGEST_WORKER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

#include <uthash.h>

#include "fpmscope/wire.h"
#include "ingest/code_map.h"

enum {
    WORKERS_MAX = 16384,
    WORKER_STACKS_MAX = 8192, /* announced by one worker */
    WORKER_POOL_BYTES = 64,
};

struct worker_key {
    int64_t pid;
    uint64_t start_ticks;
};

/* A CRASH message, kept until the page tells more or turns out not to exist. */
struct worker_crash {
    struct wire_crash message; /* `php` points to `php` below */
    char php[WIRE_PACKET_MAX_BYTES];
};

/* When its heap was last measured. */
struct worker_heap_look {
    int64_t at_us;
    uint64_t requests; /* that it had finished then */
    uint32_t count;
};

enum { WORKER_TEMPLATES_MAX = 4 };

/* Of the request `seq`: its controller and templates, as its stacks showed them. */
struct worker_controller {
    uint64_t seq;
    uint32_t name; /* in ingest->controller_names; 0: none */
    uint32_t templates[WORKER_TEMPLATES_MAX];
    uint32_t template_count;
};

enum worker_hold {
    WORKER_SENDS = 0, /* a packet for each request */
    WORKER_HOLDS,     /* it was asked to hold them */
    WORKER_SENDS_SOON /* it was asked to stop; what it held then is looked for once more */
};

/* What is known of the outbox in its page. */
struct worker_outbox {
    enum worker_hold hold;
    int fd;                     /* of the page, open unless WORKER_SENDS */
    bool has_generation;        /* the next two are known */
    uint32_t generation;        /* that was read last, here or as a packet */
    uint32_t taken_bytes;       /* of it; UINT32_MAX: all, its packet has come */
    uint32_t packets, requests; /* heard of since the last look */
    int64_t busy_us;            /* when there were many */
    /* Of a worker that an earlier collector knew: requests up to this one are in the store, and
     * those that ended before this time. */
    uint64_t told_seq;
    int64_t told_before_us;
};

struct worker {
    struct worker_key key;
    pid_t parent;
    bool is_master; /* verified: role, executable, user */
    bool said_hello;
    bool is_stored; /* its `start` or `master` is in the store */
    bool has_ended;
    bool is_reaped;            /* its master has told how it ended */
    int64_t born_us, ended_us; /* wall clock */
    int64_t introduced_us;     /* a master's: its last HELLO that was a start, 0: none yet */
    uint64_t last_seq;         /* finished request */
    uint64_t growth_seq;       /* request of the last GROWTH message, and its time */
    int64_t growth_us;
    int64_t last_end_us; /* its end, wall clock; 0: none heard of */
    uint64_t begun_seq;  /* request whose `beg` is in the store */
    uint64_t dropped_messages, throttled_samples;
    uint64_t missed_at_end; /* requests, counted with its end */
    int64_t interval_bytes;
    int64_t rss_kib;                       /* last read, 0: never */
    int64_t stored_rss_kib, stored_rss_us; /* last `rss` event */
    struct worker_heap_look heap_look;
    struct worker_controller controller;
    char pool[WORKER_POOL_BYTES];
    unsigned pool_tries; /* with a request; the scan goes on trying */
    int64_t *stacks;     /* id in the store of the stack that it calls [n]; 0: not announced */
    size_t stack_capacity;
    struct worker_outbox outbox;
    struct worker_crash *crash;
    struct code_map *map; /* of its code, NULL: not needed yet */
    int64_t map_read_us;
    bool has_last_counters; /* its page was read at its end */
    int64_t last_live_bytes, last_zend_peak_kib;
    UT_hash_handle hh;
};

struct worker_table {
    struct worker *workers;
};

void worker_table_release(struct worker_table *table);

struct worker *worker_find(const struct worker_table *table, pid_t pid, uint64_t start_ticks);

/* The youngest process that had this pid; the master's words name pids only. */
struct worker *worker_find_pid(const struct worker_table *table, pid_t pid);

/* Find or make; NULL at the ceiling or without memory. */
struct worker *worker_ensure(struct worker_table *table, pid_t pid, uint64_t start_ticks);

void worker_remove(struct worker_table *table, struct worker *worker);

/* The store's id of what the worker calls stack `id`; 0 when it did not announce it. */
int64_t worker_stack(const struct worker *worker, uint32_t id);
/* -ENOSPC above WORKER_STACKS_MAX, -ENOMEM. */
int worker_set_stack(struct worker *worker, uint32_t id, int64_t store_id);

#endif
