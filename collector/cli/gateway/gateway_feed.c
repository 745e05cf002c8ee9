/* gateway_feed.c - two readings of every file, one of every pipe. */
#include "cli/gateway/gateway_feed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/input/module_config.h"
#include "cli/gateway/slow_owners.h"
#include "logs/journal.h"
#include "logs/log_zone.h"
#include "model/event_parse.h"

struct feed {
    struct gateway *gateway;
    struct event_parser *parser;
    const struct gateway_feed_options *options;
    struct log_zone zone; /* of logs that print none */
    bool progress_shown;
    struct module_config modules;
};

static bool outside_period(const struct feed *feed, int64_t time_us)
{
    const struct period *period = &feed->options->period;

    if (time_us < 0)
        return false;
    return (period->from_us && time_us < period->from_us - GATEWAY_FEED_MARGIN_US) ||
           (period->to_us && time_us > period->to_us + GATEWAY_FEED_MARGIN_US);
}

/* Nothing before it is wanted; 0: there is no such time. */
static int64_t begin_us(const struct feed *feed)
{
    const int64_t from_us = feed->options->period.from_us;

    return from_us > GATEWAY_FEED_MARGIN_US ? from_us - GATEWAY_FEED_MARGIN_US : 0;
}

static int on_log(void *ctx, const struct log_event *event)
{
    struct feed *feed = ctx;

    if (outside_period(feed, event->time_us))
        return 0;
    slow_owners_note(feed->gateway, &feed->modules.rules, event);
    gateway_add_log(feed->gateway, event);
    return 0;
}

static int on_stream_line(void *ctx, struct slice line, int64_t offset_bytes)
{
    struct feed *feed = ctx;
    struct event event;

    (void) offset_bytes;
    if (event_parse(feed->parser, line, &event) == 0 &&
        !(event_has(&event, EVENT_HAS_ts_us) && outside_period(feed, event.ts_us)))
        gateway_add_event(feed->gateway, &event);
    return 0;
}

static void on_progress(void *ctx, const char *path, int64_t done_bytes, int64_t total_bytes)
{
    struct feed *feed = ctx;

    if (!isatty(STDERR_FILENO))
        return;
    feed->progress_shown = true;
    if (total_bytes > 0)
        fprintf(stderr, "\r\033[Kreading %s: %d %%", path,
                (int) (100 * (double) done_bytes / (double) total_bytes));
    else
        fprintf(stderr, "\r\033[Kreading %s: %lld MiB", path, (long long) (done_bytes >> 20));
    fflush(stderr);
}

/* A pipe, a terminal or standard input gives its bytes once. */
static bool readable_once(const char *path)
{
    struct stat st;

    if (journal_is(path))
        return false;
    return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

static int read_file(struct feed *feed, const char *path, int file, struct log_report *report)
{
    const char *const *formats = feed->options->access_formats;
    const struct log_options options = {
        .since_us = begin_us(feed),
        .zone = feed->zone,
        .access_format = formats && formats[file] ? formats[file] : feed->options->access_format,
        .on_stream_line = on_stream_line,
        .on_progress = on_progress,
    };

    return log_source_read(path, file, &options, on_log, feed, report);
}

/* Read the files of one kind; how many could be read. */
static size_t read_files(struct feed *feed, const char *const *paths, size_t count, bool once,
                         struct log_report *reports)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (readable_once(paths[i]) == once)
            n += read_file(feed, paths[i], (int) i, &reports[i]) >= 0;
    return n;
}

int gateway_feed_files(struct gateway *gateway, const char *const *paths, size_t count,
                       const struct gateway_feed_options *options, struct log_report *reports)
{
    struct feed feed = {.gateway = gateway, .options = options, .parser = event_parser_new()};
    size_t n = 0;

    if (!feed.parser)
        return -ENOMEM;
    module_config_init(&feed.modules, true);
    module_config_read_default(&feed.modules);
    feed.zone = log_zone_of_files(paths, count,
                                  &(struct log_options){.access_format = options->access_format},
                                  (struct log_zone){0});
    gateway_pass(gateway, GATEWAY_SCAN);
    n += read_files(&feed, paths, count, false, reports);
    gateway_pass(gateway, GATEWAY_BOTH);
    n += read_files(&feed, paths, count, true, reports);
    gateway_pass(gateway, GATEWAY_GATHER);
    read_files(&feed, paths, count, false, reports);
    event_parser_free(feed.parser);
    module_config_release(&feed.modules);
    if (feed.progress_shown)
        fputs("\r\033[K", stderr);
    return n > 0 ? 0 : -ENODATA;
}
