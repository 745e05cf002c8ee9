/* store_feed.c - play a period of the store to an engine that expects a stream. */
#include "cli/gateway/store_feed.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/input/module_config.h"
#include "cli/gateway/slow_owners.h"
#include "logs/log_decoder.h"

/* Requests are rarely longer, and a worker's history before its death matters this far back. */
#define MARGIN_US (INT64_C(120) * 1000000)

enum { FILES_MAX = GATEWAY_FILES_MAX };

struct feed {
    struct store_log_line stored; /* the last one that was given to a decoder */
    struct store *store;
    struct gateway *gateway;
    struct module_config modules;
    struct log_options options[FILES_MAX];   /* lives as long as its decoder */
    struct log_decoder *decoders[FILES_MAX]; /* by file number, made at its first line */
    struct log_report reports[FILES_MAX];
};

static int on_event(void *ctx, const struct event *event)
{
    struct feed *feed = ctx;

    gateway_add_event(feed->gateway, event);
    return 0;
}

static int on_log_event(void *ctx, const struct log_event *event)
{
    struct feed *feed = ctx;
    struct log_event known = *event;

    /* A record of several lines comes with a later one, whose hash is not its own. */
    if (event->offset_bytes == feed->stored.offset_bytes && event->file == feed->stored.file)
        known.uri_hash = feed->stored.uri_hash;
    slow_owners_note(feed->gateway, &feed->modules.rules, &known);
    gateway_add_log(feed->gateway, &known);
    return 0;
}

/* A format that this version cannot compile is left out: lines may still say what they are. */
static int open_decoder(struct feed *feed, int file, int64_t time_us)
{
    struct log_options *options = &feed->options[file];

    options->access_format = store_log_format(feed->store, file);
    int r =
        log_decoder_new(options, file, time_us, false, &feed->decoders[file], &feed->reports[file]);

    if (r != -EINVAL || !options->access_format)
        return r;
    options->access_format = NULL;
    return log_decoder_new(options, file, time_us, false, &feed->decoders[file],
                           &feed->reports[file]);
}

static int on_line(void *ctx, const struct store_log_line *stored)
{
    const struct log_line line = {.offset_bytes = stored->offset_bytes, .text = stored->line};
    struct feed *feed = ctx;
    int file = stored->file, r;

    if (file < 0 || file >= FILES_MAX)
        return 0;
    feed->stored = *stored;
    r = feed->decoders[file] ? 0 : open_decoder(feed, file, stored->time_us);
    if (r < 0)
        return r;
    return log_decoder_line(feed->decoders[file], &line, on_log_event, feed, &feed->reports[file]);
}

static int flush_decoders(struct feed *feed)
{
    int r = 0;

    for (int i = 0; i < FILES_MAX; i++) {
        if (feed->decoders[i] && r == 0)
            r = log_decoder_flush(feed->decoders[i], on_log_event, feed, &feed->reports[i]);
        log_decoder_free(feed->decoders[i]);
        feed->decoders[i] = NULL;
    }
    return r;
}

static int feed_once(struct store *store, const struct store_query *query, struct feed *feed)
{
    int r = store_each_event(store, query, on_event, feed);

    if (r == 0)
        r = store_each_log(store, query, on_line, feed);
    return r == 0 ? flush_decoders(feed) : (flush_decoders(feed), r);
}

int store_feed_gateway(struct store *store, const struct period *period, struct gateway *gateway)
{
    const struct store_query query = {
        .from_us = period->from_us > MARGIN_US ? period->from_us - MARGIN_US : 0,
        .to_us = period->to_us ? period->to_us + MARGIN_US : 0,
    };
    struct feed *feed = calloc(1, sizeof *feed);
    int r;

    if (!feed)
        return -ENOMEM;
    feed->store = store;
    feed->gateway = gateway;
    module_config_init(&feed->modules, true);
    module_config_read_default(&feed->modules);
    gateway_pass(gateway, GATEWAY_SCAN);
    r = feed_once(store, &query, feed);
    gateway_pass(gateway, GATEWAY_GATHER);
    if (r == 0)
        r = feed_once(store, &query, feed);
    module_config_release(&feed->modules);
    free(feed);
    return r;
}
