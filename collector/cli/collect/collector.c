/* collector.c - put the parts on one loop, and keep time. */
#include "cli/collect/collector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/route/uri_mask.h"
#include "analyze/route/route_controller.h"
#include "base/paths.h"
#include "cli/collect/collector_escalation.h"
#include "cli/collect/collector_internal.h"
#include "cli/input/find_logs.h"
#include "cli/input/masters_running.h"
#include "logs/access_format.h"
#include "logs/journal.h"

enum {
    FLUSH_EVERY_MS = 100, /* what kill -9 may cost */
    SCAN_EVERY_MS = 1000,
    OUTBOXES_EVERY_MS = 250, /* how late a request may be that a busy worker holds, twice */
    LOGS_EVERY_MS = 250,
    RETAIN_EVERY_MS = 60 * 1000,
    MEMORY_EVERY_MS = 10 * 1000,
    MASTERS_EVERY_MS = 5 * 1000,     /* how late the logs of an nginx that starts are found */
    RELOADS_EVERY_US = 15 * 1000000, /* for one whose open files change all the time */
    LOOK_EVERY_MS = 10 * 1000,       /* what damage of the store may cost */
    RETAIN_PIECES_MAX = 20,          /* per minute: 100,000 rows of each kind */
};

static size_t hide_query(struct slice uri, char *buffer, size_t size_bytes)
{
    return uri_mask(uri, URI_HIDE_VALUES, buffer, size_bytes, NULL);
}

static size_t show_query(struct slice uri, char *buffer, size_t size_bytes)
{
    return uri_mask(uri, URI_SHOW_VALUES, buffer, size_bytes, NULL);
}

/* ---- time ------------------------------------------------------------------------------------
 */

static void on_flush_time(void *ctx)
{
    collector_flush(ctx);
}

static void put_number(struct collector *collector, const char *name, int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long) number);
    store_put_fact(collector->store, name, slice_of(text));
}

static void on_scan_time(void *ctx)
{
    struct collector *collector = ctx;
    const int64_t now_us = collector_now_us();
    size_t living, unconnected;

    collector_peers_catch_up(collector->peers);
    ingest_scan(collector->ingest, now_us);
    collector_peers_second(collector->peers);
    ingest_census(collector->ingest, &living, &unconnected);
    put_number(collector, "living_workers", (int64_t) living);
    put_number(collector, "unconnected_workers", (int64_t) unconnected);
    put_number(collector, "seen_us", now_us);
}

static void on_log_time(void *ctx)
{
    struct collector *collector = ctx;

    collector_logs_poll(collector->logs, collector_now_us());
}

static void on_retain_time(void *ctx)
{
    struct collector *collector = ctx;

    for (int i = 0; i < RETAIN_PIECES_MAX; i++)
        if (store_retain(collector->store, collector_now_us()) <= 0)
            return;
}

static void on_memory_time(void *ctx)
{
    struct collector *collector = ctx;

    collector_memory_look(&collector->memory, collector->store, collector_now_us());
}

static void on_look_time(void *ctx)
{
    collector_look(ctx);
}

static void on_outbox_time(void *ctx)
{
    struct collector *collector = ctx;

    ingest_look_at_outboxes(collector->ingest, collector_now_us());
}

/* A path that cannot be followed was told of at the start, or nobody asked for it by name. */
static void follow_more(void *ctx, const char *path, const char *access_format)
{
    const struct collector *collector = ctx;

    if (collector_logs_follow(collector->logs, path, access_format) == -EINVAL)
        collector_logs_follow(collector->logs, path, NULL);
}

/* Who opens and closes files all the time is not asked for its configuration every time. */
static bool masters_have_changed(struct collector *collector)
{
    const struct masters_mark now = masters_running_mark(), *known = &collector->masters;
    const int64_t now_us = collector_now_us();

    if (now.masters == known->masters &&
        (now.files == known->files || now_us - collector->reload_us < RELOADS_EVERY_US))
        return false;
    if (now.masters == known->masters)
        collector->reload_us = now_us;
    collector->masters = now;
    return true;
}

/* nginx or php-fpm started after the collector, or was reloaded, perhaps with other logs. */
static void on_masters_time(void *ctx)
{
    struct collector *collector = ctx;
    const size_t before = collector_logs_count(collector->logs);

    if (!masters_have_changed(collector))
        return;
    find_logs(follow_more, collector);
    const size_t more = collector_logs_count(collector->logs) - before;
    if (more > 0 && !collector->options.quiet)
        collector_say("%zu more logs followed: nginx or php-fpm started or was reloaded", more);
}

static int start_timers(struct collector *collector)
{
    struct loop *loop = collector->loop;
    int r = loop_watch_time(loop, FLUSH_EVERY_MS, FLUSH_EVERY_MS, on_flush_time, collector,
                            &collector->flush_timer);

    if (r == 0)
        r = loop_watch_time(loop, 0, SCAN_EVERY_MS, on_scan_time, collector,
                            &collector->scan_timer);
    if (r == 0)
        r = loop_watch_time(loop, LOGS_EVERY_MS, LOGS_EVERY_MS, on_log_time, collector,
                            &collector->log_timer);
    if (r == 0)
        r = loop_watch_time(loop, RETAIN_EVERY_MS, RETAIN_EVERY_MS, on_retain_time, collector,
                            &collector->retain_timer);
    if (r == 0)
        r = loop_watch_time(loop, 0, MEMORY_EVERY_MS, on_memory_time, collector,
                            &collector->memory_timer);
    if (r == 0)
        r = loop_watch_time(loop, LOOK_EVERY_MS, LOOK_EVERY_MS, on_look_time, collector,
                            &collector->look_timer);
    if (r == 0)
        r = loop_watch_time(loop, OUTBOXES_EVERY_MS, OUTBOXES_EVERY_MS, on_outbox_time, collector,
                            &collector->outbox_timer);
    if (r == 0 && collector->options.find_logs)
        r = loop_watch_time(loop, MASTERS_EVERY_MS, MASTERS_EVERY_MS, on_masters_time, collector,
                            &collector->masters_timer);
    return r;
}

/* ---- parts -----------------------------------------------------------------------------------
 */

static int open_listener(struct collector *collector)
{
    struct listener_message message;
    int r = listener_open(collector->options.socket_path, &collector->listener, &message);

    if (message.text[0])
        collector_say("%s", message.text);
    return r;
}

static void on_found(void *ctx, pid_t pid, uint64_t start_ticks)
{
    struct collector *collector = ctx;

    collector_peers_watch(collector->peers, pid, start_ticks);
}

static bool drain(void *ctx, pid_t pid, uint64_t start_ticks)
{
    const struct collector *collector = ctx;

    return !collector->peers || collector_peers_drain(collector->peers, pid, start_ticks);
}

static void on_crowded(void *ctx)
{
    collector_flush(ctx);
}

static void on_trouble(void *ctx, int64_t time_us)
{
    struct collector *collector = ctx;

    if (collector->logs)
        collector_logs_trouble(collector->logs, time_us);
}

static void *watch(void *ctx, int fd, void (*fn)(void *), void *arg)
{
    struct collector *collector = ctx;
    struct loop_watch *new_watch = NULL;

    return loop_watch_fd(collector->loop, fd, fn, arg, &new_watch) < 0 ? NULL : new_watch;
}

static void unwatch(void *ctx, void *old_watch)
{
    (void) ctx;
    loop_watch_free(old_watch);
}

/* Where the shim makes its pages: beside the socket, or where it had to when that was not there. */
static void place_pages(struct collector *collector, struct ingest_policy *policy)
{
    const char *configured = collector->options.pages_path;

    if (!configured && path_of_pages(collector->options.socket_path, collector->beside_pages,
                                     sizeof collector->beside_pages) == 0)
        configured = collector->beside_pages;
    snprintf(collector->shm_pages, sizeof collector->shm_pages, "/dev/shm/fpmscope-%u/pages",
             geteuid());
    policy->pages[0] = (struct ingest_pages){.directory = configured};
    if (configured && strcmp(configured, collector->shm_pages) == 0)
        policy->pages[0].is_shared = true;
    else
        policy->pages[1] =
            (struct ingest_pages){.directory = collector->shm_pages, .is_shared = true};
}

static bool name_controller(const struct slice *frames, size_t count, char *ret_name,
                            size_t size_bytes)
{
    struct route_controller controller;

    return route_controller_of_stack(frames, count, &controller) &&
           snprintf(ret_name, size_bytes, "%s", controller.name) < (int) size_bytes;
}

static bool name_template(const struct slice *frames, size_t count, char *ret_name,
                          size_t size_bytes)
{
    const struct slice file = route_template_of_stack(frames, count);

    return file.len_bytes > 0 && snprintf(ret_name, size_bytes, "%.*s", (int) file.len_bytes,
                                          file.ptr) < (int) size_bytes;
}

static int start_ingest(struct collector *collector)
{
    struct ingest_policy policy = {
        .own_uid = geteuid(),
        .mask_uri = collector->options.show_query ? show_query : hide_query,
        .name_controller = name_controller,
        .name_template = name_template,
        .on_found = on_found,
        .on_trouble = on_trouble,
        .on_crowded = on_crowded,
        .on_event = collector_escalation_feed,
        .watch = watch,
        .unwatch = unwatch,
        .drain = drain,
        .ctx = collector,
    };

    place_pages(collector, &policy);
    int r = ingest_new(collector->store, &policy, &collector->ingest);
    if (r == 0)
        r = collector_peers_new(collector->loop, collector->ingest, &collector->listener,
                                &collector->peers);
    if (r == 0)
        r = ingest_resume(collector->ingest, collector_now_us());
    if (r == -EBADMSG)
        collector_mark_spoiled(collector);
    else if (r < 0)
        collector_say("cannot start: %s", strerror(-r));
    return r;
}

static void follow_log(void *ctx, const char *path, const char *access_format)
{
    const struct collector *collector = ctx;
    int r = collector_logs_follow(collector->logs, path, access_format);

    if (r == -EINVAL) {
        collector_say("'%s': its log_format cannot be used (%s); lines are recognised one by one",
                      path, access_format_problem(access_format));
        r = collector_logs_follow(collector->logs, path, NULL);
    }
    if (r < 0)
        collector_say("cannot follow '%s': %s", path,
                      journal_is(path) ? journal_problem(r) : strerror(-r));
}

static void find_all_logs(struct collector *collector)
{
    const struct collector_options *options = &collector->options;

    if (options->nginx_config_path &&
        find_logs_of_nginx(options->nginx_config_path, follow_log, collector) < 0)
        collector_say("'nginx -T -c %s' says nothing: its logs are not followed; try it by hand",
                      options->nginx_config_path);
    for (size_t i = 0; i < options->log_count; i++)
        follow_log(collector, options->logs[i], options->log_format);
    if (options->fpm_config_path)
        find_logs_of_fpm(options->fpm_config_path, follow_log, collector);
    if (!options->find_logs)
        return;
    collector->masters = masters_running_mark();
    find_logs(follow_log, collector);
}

static int follow_logs(struct collector *collector)
{
    int r = collector_logs_new(collector->store, collector->options.show_query, &collector->logs);

    if (r < 0)
        return r;
    find_all_logs(collector);
    /* What is there now is old; from here on every line counts. */
    collector_logs_poll(collector->logs, collector_now_us());
    return 0;
}

static void introduce(struct collector *collector)
{
    put_number(collector, "collector_pid", getpid());
    put_number(collector, "started_us", collector_now_us());
    store_put_fact(collector->store, "socket", slice_of(collector->options.socket_path));
    if (!collector->options.quiet)
        collector_say("collecting: socket '%s', data in '%s', %zu logs followed",
                      collector->options.socket_path, collector->options.data_path,
                      collector_logs_count(collector->logs));
}

int collector_new(const struct collector_options *options, struct collector **ret_collector)
{
    struct collector *collector = calloc(1, sizeof *collector);

    if (!collector)
        return -ENOMEM;
    collector->options = *options;
    collector->listener = (struct listener){.path_fd = -1, .abstract_fd = -1};
    listener_raise_file_limit();
    int r = loop_new(&collector->loop);
    if (r == 0)
        r = collector_open_store(collector);
    if (r == 0)
        r = open_listener(collector);
    if (r == 0)
        r = follow_logs(collector);
    if (r == 0)
        r = start_ingest(collector);
    if (r == 0)
        r = start_timers(collector);
    if (r == 0)
        r = collector_escalation_start(collector);
    if (r < 0) {
        collector_free(collector);
        return r;
    }
    introduce(collector);
    *ret_collector = collector;
    return 0;
}

/* What a damaged store did not take is told again by the next collector: the pages stay. */
static void flush_the_last(struct collector *collector)
{
    if (!collector->store || collector->is_spoiled)
        return;
    if (store_flush(collector->store) < 0)
        collector_say("%s; %zu rows are lost", store_problem(collector->store),
                      store_pending_rows(collector->store));
    else if (collector->ingest)
        ingest_committed(collector->ingest);
}

void collector_free(struct collector *collector)
{
    if (!collector)
        return;
    loop_watch_free(collector->flush_timer);
    loop_watch_free(collector->scan_timer);
    loop_watch_free(collector->log_timer);
    loop_watch_free(collector->retain_timer);
    loop_watch_free(collector->memory_timer);
    loop_watch_free(collector->look_timer);
    loop_watch_free(collector->outbox_timer);
    loop_watch_free(collector->masters_timer);
    if (collector->peers) {
        ingest_end_holds(collector->ingest, collector_now_us());
        collector_peers_hang_up(collector->peers);
        ingest_find_pages(collector->ingest, collector_now_us());
    }
    collector_escalation_stop(collector);
    collector_peers_free(collector->peers);
    listener_close(&collector->listener);
    if (collector->ingest)
        ingest_settle(collector->ingest);
    if (collector->logs)
        collector_logs_poll(collector->logs, collector_now_us());
    collector_logs_free(collector->logs);
    flush_the_last(collector);
    ingest_free(collector->ingest);
    store_free(collector->store);
    loop_free(collector->loop);
    free(collector);
}

bool collector_is_spoiled(const struct collector *collector)
{
    return collector->is_spoiled;
}

struct loop *collector_loop(struct collector *collector)
{
    return collector->loop;
}
