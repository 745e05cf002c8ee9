/* collector_internal.h - what the files collector*.c share; nobody else includes it. */
#ifndef FPMSCOPE_CLI_COLLECT_COLLECTOR_INTERNAL_H
#define FPMSCOPE_CLI_COLLECT_COLLECTOR_INTERNAL_H

#include <limits.h>

#include "cli/collect/collector.h"
#include "cli/collect/collector_logs.h"
#include "cli/collect/collector_memory.h"
#include "cli/collect/collector_peers.h"
#include "cli/input/masters_running.h"
#include "ingest/ingest.h"
#include "net/listener.h"
#include "store/store.h"

struct collector {
    struct collector_options options;
    struct loop *loop;
    struct store *store;
    struct ingest *ingest;
    struct listener listener;
    struct collector_peers *peers;
    struct collector_logs *logs;
    struct loop_watch *flush_timer, *scan_timer, *log_timer, *retain_timer, *memory_timer,
        *look_timer, *outbox_timer, *masters_timer;
    struct masters_mark masters; /* when logs were looked for */
    int64_t reload_us;           /* when they were because of a reload */
    struct collector_memory memory;
    struct escalation *escalation;
    struct loop_watch *escalation_timer;
    char beside_pages[PATH_MAX], shm_pages[PATH_MAX];
    char said[STORE_MESSAGE_BYTES]; /* the last problem that was printed */
    int64_t retry_at_us;            /* no flush before: the disk is full */
    bool is_spoiled;                /* the store turned out to be damaged */
};

int64_t collector_now_us(void);

/* One line on stderr. */
__attribute__((format(printf, 1, 2))) void collector_say(const char *format, ...);

/* 0, or -errno after the reason has been printed; a damaged store is set aside. */
int collector_open_store(struct collector *collector);

/* The store turned out to be damaged: the next opening sets it aside. */
void collector_mark_spoiled(struct collector *collector);

/* Is what was written still there?  Stops the loop when it is damaged. */
void collector_look(struct collector *collector);

/* Write what waits, if it is time; problems are said once each. */
void collector_flush(struct collector *collector);

#endif
