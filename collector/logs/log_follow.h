/*
 * log_follow.h - following a log by its name through rotation, from poll to poll.
 *
 *     struct log_follow *follow;
 *     log_follow_new("/var/log/nginx/access.log", 0, &options, &follow);
 *     log_follow_resume(follow, &bookmark);                       after a restart of the collector
 *     every second:  log_follow_poll(follow, now_us, on_event, ctx);
 *     now and then:  bookmark = log_follow_bookmark(follow);      into the store
 *
 * What it lives through: the file is not there yet, renamed (lines still arrive in `.1` for a
 * while: it goes on reading both), emptied (copytruncate), removed, replaced by a directory,
 * unreadable for a time.  Nothing of this is an error; log_follow_status() says what is the matter.
 */
#ifndef FPMSCOPE_LOGS_LOG_FOLLOW_H
#define FPMSCOPE_LOGS_LOG_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "logs/log_source.h"
#include "logs/log_tail.h"

struct log_follow;

/* Where a restart goes on: in the file of that name, and in the one it was before the rotation. */
struct log_bookmark {
    struct log_place current, rotated;
};

enum log_follow_state {
    LOG_FOLLOW_NEW, /* not polled yet */
    LOG_FOLLOW_READING,
    LOG_FOLLOW_MISSING,    /* no such file (now) */
    LOG_FOLLOW_NO_FILE,    /* a directory, a device, a pipe */
    LOG_FOLLOW_UNREADABLE, /* permissions, or an error while reading */
};

struct log_follow_status {
    enum log_follow_state state;
    int64_t rotations, truncations;
    int64_t lost; /* rotated away while nobody followed: the rest of such a file was not read */
    char message[LOG_MESSAGE_MAX_BYTES]; /* "cannot open '/x': Permission denied"; "" while all is
                                            well */
    struct log_report report;            /* counts over all files of that name */
};

/*
 * `options` may be NULL and outlives the follower; `path` is copied.  Without a bookmark reading
 * begins at the end of the file that is there, and at the beginning of one that appears later.
 */
int log_follow_new(const char *path, int file, const struct log_options *options,
                   struct log_follow **ret_follow);

void log_follow_free(struct log_follow *follow);

/* Before the first poll: go on from here; NULL: read the file that is there from its beginning. */
void log_follow_resume(struct log_follow *follow, const struct log_bookmark *bookmark);

/*
 * Read what is new, at most a few megabytes.  `now_us`: any clock that only goes forward.  Returns
 * 0, 1 when there is more to read now, or what the callback returned; trouble with the file is in
 * the status and is tried again at the next poll.
 */
int log_follow_poll(struct log_follow *follow, int64_t now_us, log_event_fn on_event, void *ctx);

const struct log_follow_status *log_follow_status(const struct log_follow *follow);

struct log_bookmark log_follow_bookmark(const struct log_follow *follow);

enum { LOG_BOOKMARK_TEXT_BYTES = 192 };

/* A bookmark as one word of text, and back; false when it is not one. */
void log_bookmark_print(const struct log_bookmark *bookmark, char text[LOG_BOOKMARK_TEXT_BYTES]);
bool log_bookmark_scan(const char *text, struct log_bookmark *ret_bookmark);

#endif
