/* followed_log.c - a file or a journal behind one face. */
#include "cli/collect/followed_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int) JOURNAL_CURSOR_BYTES <= (int) LOG_BOOKMARK_TEXT_BYTES,
               "a cursor fits where bookmarks are kept");

static int open_file(struct followed_log *log, const char *bookmark)
{
    struct log_bookmark place;
    int r = log_follow_new(log->path, log->file, &log->options, &log->follow);

    if (r == 0 && bookmark && log_bookmark_scan(bookmark, &place))
        log_follow_resume(log->follow, &place);
    return r;
}

int followed_log_open(struct followed_log *log, const char *path, int file, const char *bookmark)
{
    int r;

    *log = (struct followed_log){
        .path = strdup(path), .file = file, .options = {.zone = {.local = true}}};
    if (!log->path)
        return -ENOMEM;
    r = journal_is(path) ? journal_follow_new(path, file, bookmark, &log->options, &log->journal)
                         : open_file(log, bookmark);
    if (r < 0)
        followed_log_close(log);
    return r;
}

void followed_log_close(struct followed_log *log)
{
    log_follow_free(log->follow);
    journal_follow_free(log->journal);
    free(log->path);
    *log = (struct followed_log){0};
}

int followed_log_poll(struct followed_log *log, int64_t now_us, log_event_fn on_event, void *ctx)
{
    return log->journal ? journal_follow_poll(log->journal, on_event, ctx)
                        : log_follow_poll(log->follow, now_us, on_event, ctx);
}

enum log_follow_state followed_log_state(const struct followed_log *log)
{
    return log->journal ? LOG_FOLLOW_READING : log_follow_status(log->follow)->state;
}

enum log_format_id followed_log_format(const struct followed_log *log)
{
    return log->journal ? LOG_FORMAT_KERNEL : log_follow_status(log->follow)->report.format;
}

void followed_log_bookmark(const struct followed_log *log, char text[LOG_BOOKMARK_TEXT_BYTES])
{
    if (log->journal) {
        const char *cursor = journal_follow_cursor(log->journal);

        snprintf(text, LOG_BOOKMARK_TEXT_BYTES, "%s", cursor ? cursor : "");
        return;
    }
    const struct log_bookmark bookmark = log_follow_bookmark(log->follow);
    log_bookmark_print(&bookmark, text);
}
