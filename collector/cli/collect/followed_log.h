/*
 * followed_log.h - one log that the collector follows, be it a file or a journal: opened where it
 * was left, polled, and its place remembered as one word.
 */
#ifndef FPMSCOPE_CLI_COLLECT_FOLLOWED_LOG_H
#define FPMSCOPE_CLI_COLLECT_FOLLOWED_LOG_H

#include <stdint.h>

#include "logs/access_format.h"
#include "logs/journal_follow.h"
#include "logs/log_follow.h"

struct followed_log {
    char *path;                            /* owned */
    char format[ACCESS_FORMAT_TEXT_BYTES]; /* empty when its lines say what they are */
    int file;                              /* its number in the store */
    struct log_options options;
    struct log_follow *follow;
    struct journal_follow *journal; /* instead of `follow` */
    enum log_follow_state said;     /* the last state that was reported; the caller's */
};

/*
 * Follow `path` as number `file` from `bookmark` (of followed_log_bookmark(); NULL or nonsense:
 * from its end).  The struct must not move while it is open.  0 or a negative errno.
 */
int followed_log_open(struct followed_log *log, const char *path, int file, const char *bookmark);

void followed_log_close(struct followed_log *log);

/* As log_follow_poll(). */
int followed_log_poll(struct followed_log *log, int64_t now_us, log_event_fn on_event, void *ctx);

enum log_follow_state followed_log_state(const struct followed_log *log);
enum log_format_id followed_log_format(const struct followed_log *log);

/* Where a restart goes on; empty when there is nothing to say. */
void followed_log_bookmark(const struct followed_log *log, char text[LOG_BOOKMARK_TEXT_BYTES]);

#endif
