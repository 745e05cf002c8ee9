/*
 * cmd_import.c - `fpmscope import FILE`: an event stream into a store.
 *
 * Numbers that are unique in a stream only (stacks, blocks) are made unique in the store: a stack's
 * number becomes a hash of its frames, a block's is mixed with the stream's name.  Times relative
 * to the stream's start are placed so that the stream ends when the file was last changed.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <xxhash.h>

#include "cli/cli.h"
#include "cli/input/data_option.h"
#include "model/event_read.h"
#include "model/event_set.h"

enum { FLUSH_ROWS = 5000, STACKS_MAX = 1 << 20 };

struct import_options {
    struct data_option data;
    const char *path;
};

struct import {
    struct store *store;
    const char *path;
    uint64_t seed; /* of this stream's numbers */
    int64_t shift_us, interval_bytes;
    uint64_t events, refused;
    bool said_full;
};

static error_t on_argument(int key, char *arg, struct argp_state *state)
{
    struct import_options *options = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->data;
        return 0;
    case ARGP_KEY_ARG:
        if (options->path)
            argp_error(state, "one file at a time; '%s' is a second", arg);
        options->path = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which file? `-` is standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int64_t mix(uint64_t seed, int64_t number)
{
    /* 53 bits: every reader of JSON keeps such a number whole. */
    return (int64_t) (XXH3_64bits_withSeed(&number, sizeof number, seed) >> 11);
}

/* Stacks and blocks are counted apart: number 1 may be both. */
static void make_unique(const struct import *import, struct event *event)
{
    if ((event->kind == EVENT_stk || event->kind == EVENT_smp || event->kind == EVENT_fre) &&
        event_has(event, EVENT_HAS_id))
        event->id = mix(import->seed + (event->kind == EVENT_stk), event->id);
    if (event_has(event, EVENT_HAS_stk))
        event->stk = mix(import->seed + 1, event->stk);
    if (event_has(event, EVENT_HAS_ts_us))
        event->ts_us += import->shift_us;
}

static void flush(struct import *import)
{
    int r = store_flush(import->store);

    if (r < 0 && !import->said_full)
        fprintf(stderr, "fpmscope import: %s\n", store_problem(import->store));
    import->said_full = r < 0;
}

static void take(struct import *import, const struct event *event)
{
    struct event own = *event;

    make_unique(import, &own);
    /* Samples carry what the header said for all of them. */
    if (own.kind == EVENT_smp && !event_has(&own, EVENT_HAS_interval_bytes) &&
        import->interval_bytes > 0)
        event_set_interval_bytes(&own, import->interval_bytes);
    import->refused += store_append(import->store, &own) != 0;
    import->events++;
    if (store_pending_rows(import->store) >= FLUSH_ROWS)
        flush(import);
}

/* The last time in the stream, for one that counts from its own beginning. */
static int64_t last_time_us(const char *path)
{
    struct event_reader *reader;
    struct event event;
    int64_t last_us = 0;

    if (strcmp(path, "-") == 0 || event_reader_open(path, &reader) < 0)
        return 0;
    while (event_reader_next(reader, &event) > 0)
        if (event_has(&event, EVENT_HAS_ts_us) && event.ts_us > last_us)
            last_us = event.ts_us;
    event_reader_close(reader);
    return last_us;
}

/* Where relative times are to begin. */
static int64_t placed_us(const char *path)
{
    struct stat status;
    int64_t end_us = (int64_t) time(NULL) * 1000000;

    if (strcmp(path, "-") != 0 && stat(path, &status) == 0)
        end_us = (int64_t) status.st_mtime * 1000000;
    return end_us - last_time_us(path);
}

static bool is_relative(const struct event *header)
{
    /* Streams that do not say count from their beginning. */
    return event_has(header, EVENT_HAS_clock) ? slice_equal(header->clock, SLICE("relative"))
                                              : true;
}

static void on_header(struct import *import, const struct event *header)
{
    import->seed = XXH3_64bits(header->trace.ptr, header->trace.len_bytes) ^ (uint64_t) time(NULL);
    if (is_relative(header))
        import->shift_us = placed_us(import->path);
    import->interval_bytes = header->interval_bytes;
}

static int read_stream(struct import *import)
{
    struct event_reader *reader;
    struct event event;
    int r = event_reader_open(import->path, &reader);

    if (r < 0)
        return r;
    while ((r = event_reader_next(reader, &event)) > 0) {
        if (event.kind == EVENT_hdr)
            on_header(import, &event);
        else
            take(import, &event);
    }
    flush(import);
    event_read_stats_print(event_reader_stats(reader), "fpmscope import: ", stderr);
    event_reader_close(reader);
    return r;
}

static int import_file(const struct import_options *options)
{
    struct import import = {.path = options->path};
    int r = data_option_open(&options->data, STORE_WRITE, "import", &import.store);

    if (r < 0)
        return CLI_NO_DATA;
    r = read_stream(&import);
    if (r < 0)
        fprintf(stderr, "fpmscope import: cannot read '%s': %s\n", options->path, strerror(-r));
    else
        fprintf(stderr, "fpmscope import: %llu events into '%s'\n",
                (unsigned long long) import.events, options->data.path);
    if (store_pending_rows(import.store) > 0 || import.refused > 0)
        r = -EIO;
    store_free(import.store);
    return r < 0 ? CLI_NO_DATA : CLI_OK;
}

int cmd_import(int argc, char **argv)
{
    static const struct argp_child children[] = {{&data_option_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .children = children,
        .parser = on_argument,
        .args_doc = "FILE",
        .doc = "Read an event stream (plain or .gz, `-` for standard input) into a store.",
    };
    struct import_options options = {0};

    if (data_option_init(&options.data) < 0 ||
        argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return CLI_USAGE;
    return import_file(&options);
}
