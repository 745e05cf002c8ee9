/* collector_logs.c - poll the followers, sort their lines. */
#include "cli/collect/collector_logs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "cli/collect/followed_log.h"
#include "cli/collect/line_mask.h"
#include "cli/collect/recent_lines.h"
#include "logs/access_format.h"
#include "logs/log_matter.h"
#include "model/uri_hash.h"

enum { TURNS_MAX = 4 }; /* polls of one file per turn, a few megabytes each */
static const int64_t around_us = INT64_C(1000000) * LOG_AROUND_S;

struct collector_logs {
    struct store *store;
    enum uri_values values;
    struct followed_log files[LOGS_FOLLOWED_MAX];
    size_t count;
    struct recent_lines *recent;
    int64_t keep_until_us; /* lines up to this time are kept: something failed before it */
    int64_t second, lines_this_second, left_out;
    struct followed_log *current;
    char masked[LOG_LINE_MAX_BYTES];
};

int collector_logs_new(struct store *store, bool show_query, struct collector_logs **ret_logs)
{
    struct collector_logs *logs = calloc(1, sizeof *logs);

    if (!logs)
        return -ENOMEM;
    logs->store = store;
    logs->values = show_query ? URI_SHOW_VALUES : URI_HIDE_VALUES;
    if (recent_lines_new(LOG_RECENT_BYTES, &logs->recent) < 0) {
        free(logs);
        return -ENOMEM;
    }
    *ret_logs = logs;
    return 0;
}

void collector_logs_free(struct collector_logs *logs)
{
    if (!logs)
        return;
    for (size_t i = 0; i < logs->count; i++)
        followed_log_close(&logs->files[i]);
    recent_lines_free(logs->recent);
    free(logs);
}

size_t collector_logs_count(const struct collector_logs *logs)
{
    return logs->count;
}

/* The journal is no path of a file. */
static int name_of(const char *given_path, char *ret_path, size_t size_bytes)
{
    if (strcmp(given_path, JOURNAL_OF_HOST) != 0)
        return path_absolute(given_path, ret_path, size_bytes);
    strcpy(ret_path, JOURNAL_OF_HOST);
    return 0;
}

static struct followed_log *by_path(struct collector_logs *logs, const char *path)
{
    for (size_t i = 0; i < logs->count; i++)
        if (strcmp(logs->files[i].path, path) == 0)
            return &logs->files[i];
    return NULL;
}

static int set_format(struct collector_logs *logs, struct followed_log *file,
                      const char *access_format)
{
    if (file->format[0] || !access_format)
        return 0;
    if (access_format_problem(access_format))
        return -EINVAL;
    snprintf(file->format, sizeof file->format, "%s", access_format);
    file->options.access_format = file->format;
    store_set_log_format(logs->store, file->file, file->format);
    return 0;
}

int collector_logs_follow(struct collector_logs *logs, const char *given_path,
                          const char *access_format)
{
    char path[PATH_MAX];
    int r = name_of(given_path, path, sizeof path);

    if (r < 0)
        return r;
    struct followed_log *file = by_path(logs, path);
    if (file)
        return set_format(logs, file, access_format);
    if (logs->count == LOGS_FOLLOWED_MAX)
        return -ENFILE;
    file = &logs->files[logs->count];
    const int number = store_log_file(logs->store, path);
    r = number < 0 ? number
                   : followed_log_open(file, path, number, store_log_bookmark(logs->store, number));
    if (r < 0)
        return r;
    r = set_format(logs, file, access_format);
    if (r < 0) {
        followed_log_close(file);
        return r;
    }
    store_set_log_format(logs->store, file->file, file->format);
    logs->count++;
    return 0;
}

/* ---- lines -----------------------------------------------------------------------------------
 */

static void keep(void *ctx, const struct store_log_line *line)
{
    struct collector_logs *logs = ctx;

    if (++logs->lines_this_second > LOG_LINES_PER_SECOND)
        logs->left_out++;
    else
        store_append_log(logs->store, line);
}

void collector_logs_trouble(struct collector_logs *logs, int64_t time_us)
{
    recent_lines_take(logs->recent, time_us - around_us, time_us + around_us, keep, logs);
    if (time_us + around_us > logs->keep_until_us)
        logs->keep_until_us = time_us + around_us;
}

static int on_event(void *ctx, const struct log_event *event)
{
    struct collector_logs *logs = ctx;
    const enum log_matter matter = log_matter(event);
    const struct store_log_line line = {
        .time_us = event->time_us,
        .file = logs->current->file,
        .format = (int) followed_log_format(logs->current),
        .offset_bytes = event->offset_bytes,
        .line = line_mask(event->line, logs->values, logs->masked, sizeof logs->masked),
        .uri_hash = uri_hash_of_log(event),
    };

    if (event->time_us < 0)
        return 0;
    if (matter == LOG_IS_TROUBLE)
        collector_logs_trouble(logs, event->time_us);
    if (matter != LOG_MATTERS_NEARBY || event->time_us <= logs->keep_until_us)
        keep(logs, &line);
    else
        recent_lines_add(logs->recent, &line);
    return 0;
}

/* ---- files -----------------------------------------------------------------------------------
 */

static void note_state(struct collector_logs *logs, struct followed_log *file)
{
    const enum log_follow_state state = followed_log_state(file);
    const bool is_bad = state == LOG_FOLLOW_UNREADABLE || state == LOG_FOLLOW_NO_FILE;

    if (is_bad && state != file->said)
        store_add_coverage(logs->store, "unreadable_log", slice_of(file->path), 1);
    file->said = state;
}

static bool poll_file(struct collector_logs *logs, struct followed_log *file, int64_t now_us)
{
    char text[LOG_BOOKMARK_TEXT_BYTES];
    int r = 1;

    logs->current = file;
    for (int turn = 0; r == 1 && turn < TURNS_MAX; turn++)
        r = followed_log_poll(file, now_us, on_event, logs);
    note_state(logs, file);
    /* Lines that wait in memory are behind the bookmark: kill -9 costs them, a failure that comes
     * after the restart misses some of its surroundings and nothing else. */
    followed_log_bookmark(file, text);
    store_set_log_bookmark(logs->store, file->file, text);
    return r == 1;
}

static void new_second(struct collector_logs *logs, int64_t second)
{
    if (logs->left_out > 0)
        store_add_coverage(logs->store, "log_lines_left_out", SLICE(""), (uint64_t) logs->left_out);
    logs->left_out = logs->lines_this_second = 0;
    logs->second = second;
}

bool collector_logs_poll(struct collector_logs *logs, int64_t now_us)
{
    bool more = false;

    if (now_us / 1000000 != logs->second)
        new_second(logs, now_us / 1000000);
    for (size_t i = 0; i < logs->count; i++)
        more |= poll_file(logs, &logs->files[i], now_us);
    recent_lines_expire(logs->recent, now_us - 2 * around_us);
    return more;
}
