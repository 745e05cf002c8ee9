/* collector_store.c - the collector's store: opened, written in time, set aside when damaged. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/collect/collector_internal.h"

enum { WAITING_ROWS_TO_SAY = 1000 };
static const int64_t retry_us = 1000000;

/* ---- damage ----------------------------------------------------------------------------------
 */

static void mark_path(const struct collector *collector, char path[PATH_MAX + 32])
{
    snprintf(path, PATH_MAX + 32, "%s/damaged", collector->options.data_path);
}

/* What is damaged deep inside looks sound when it is opened again: an empty file says so. */
void collector_mark_spoiled(struct collector *collector)
{
    char path[PATH_MAX + 32];

    mark_path(collector, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        close(fd);
    collector->is_spoiled = true;
}

static bool take_mark(const struct collector *collector)
{
    char path[PATH_MAX + 32];

    mark_path(collector, path);
    return unlink(path) == 0;
}

/* Renamed, never deleted, and a new one begun: tomorrow's crash matters more. */
static int begin_anew(struct collector *collector, const struct store_limits *limits)
{
    struct store_message message = {.text = ""};
    char path[PATH_MAX + 64];
    int r = store_set_aside(collector->options.data_path, path, sizeof path);

    if (r == 0)
        r = store_open(collector->options.data_path, STORE_WRITE | STORE_COLLECT, limits,
                       &collector->store, &message);
    if (r < 0) {
        collector_say("cannot set the damaged store aside: %s",
                      message.text[0] ? message.text : strerror(-r));
        return -EIO; /* not -EBADMSG: that would be tried again */
    }
    collector_say("the damaged store is '%s' now; a new one has been begun", path);
    store_add_coverage(collector->store, "damaged_store", slice_of(path), 1);
    return 0;
}

int collector_open_store(struct collector *collector)
{
    const struct collector_options *options = &collector->options;
    const struct store_limits limits = {
        .max_age_us = options->keep_days * 24 * 3600 * 1000000,
        .max_bytes = options->keep_mib << 20,
    };
    struct store_message message;

    if (take_mark(collector))
        return begin_anew(collector, &limits);
    int r = store_open(options->data_path, STORE_WRITE | STORE_COLLECT, &limits, &collector->store,
                       &message);
    if (r < 0)
        collector_say("%s", message.text);
    return r == -EBADMSG ? begin_anew(collector, &limits) : r;
}

/* ---- writing ---------------------------------------------------------------------------------
 */

static void say_problem(struct collector *collector, int r)
{
    const char *problem = r < 0 ? store_problem(collector->store) : "";

    if (strcmp(problem, collector->said) == 0)
        return;
    if (r < 0)
        collector_say("%s; %zu rows wait in memory", problem, store_pending_rows(collector->store));
    else
        collector_say("the store can be written again");
    snprintf(collector->said, sizeof collector->said, "%s", problem);
}

static void give_up(struct collector *collector)
{
    collector_mark_spoiled(collector);
    loop_stop(collector->loop);
}

/* Appending reads nothing again: damage of what is in SQLite's cache would go unseen for days. */
void collector_look(struct collector *collector)
{
    if (store_look(collector->options.data_path) != -EBADMSG)
        return;
    collector_say("the store has been damaged while it was in use");
    give_up(collector);
}

void collector_flush(struct collector *collector)
{
    const int64_t now_us = collector_now_us();

    if (now_us < collector->retry_at_us && now_us > collector->retry_at_us - retry_us)
        return;
    int r = store_flush(collector->store);
    if (r == 0)
        ingest_committed(collector->ingest);
    else
        collector->retry_at_us = now_us + retry_us;
    if (r == -EBADMSG)
        give_up(collector);
    /* Somebody imports or marks: that is no problem before it lasts. */
    if (r != -EAGAIN || store_pending_rows(collector->store) > WAITING_ROWS_TO_SAY)
        say_problem(collector, r);
}
