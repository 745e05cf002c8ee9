/*
 * collector_logs.h - the logs that the collector follows: lines that matter go into the store, the
 * others wait some seconds for a failure that would make them matter.
 */
#ifndef FPMSCOPE_CLI_COLLECT_COLLECTOR_LOGS_H
#define FPMSCOPE_CLI_COLLECT_COLLECTOR_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

enum {
    LOG_AROUND_S = 16,           /* before and after a failure every line is kept */
    LOG_RECENT_BYTES = 8 << 20,  /* of lines that wait */
    LOG_LINES_PER_SECOND = 2000, /* above this lines are counted, not kept */
    LOGS_FOLLOWED_MAX = 128,
};

struct collector_logs;

int collector_logs_new(struct store *store, bool show_query, struct collector_logs **ret_logs);
void collector_logs_free(struct collector_logs *logs);

/*
 * Follow `path` from its bookmark, or from its end; a path that is followed already is fine, and
 * learns its format when it had none and nothing was read yet.  `access_format`: nginx's log_format
 * of it, NULL when its lines say what they are.  0, -EINVAL (a format that cannot be used: nothing
 * is followed), -ENFILE, -ENOMEM, or what the store says.
 */
int collector_logs_follow(struct collector_logs *logs, const char *path, const char *access_format);

/* Read what is new.  True when there was more than one turn reads. */
bool collector_logs_poll(struct collector_logs *logs, int64_t now_us);

/* A request was lost at that time. */
void collector_logs_trouble(struct collector_logs *logs, int64_t time_us);

size_t collector_logs_count(const struct collector_logs *logs);

#endif
