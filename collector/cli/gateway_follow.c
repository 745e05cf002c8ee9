/* gateway_follow.c - ask the store every second, show what is new and ripe. */
#include "cli/gateway_follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/gateway/gateway_source.h"
#include "cli/gateway/shown_rows.h"

enum {
    EVERY_S = 1,
    WINDOW_US = 30 * 1000 * 1000, /* evidence that is later than this is not waited for */
    SILENT_US = 10 * 1000 * 1000, /* a collector says every second that it lives */
};

struct follower {
    const struct gateway_follow *follow;
    struct shown_rows *shown;
    int64_t started_us;
    uint64_t seen;   /* what the window held when it was judged last */
    bool is_holding; /* rows were there that were not ripe */
    bool said_silent;
};

static int count_line(void *ctx, const struct store_log_line *line)
{
    uint64_t *seen = ctx;

    *seen = *seen * 31 + (uint64_t) line->offset_bytes + 1;
    return 0;
}

static int count_event(void *ctx, const struct event *event)
{
    uint64_t *seen = ctx;

    *seen = *seen * 31 + (uint64_t) event->ts_us + 1;
    return 0;
}

/* A fingerprint of what can make a row; without news nothing needs to be judged again. */
static int look_for_news(struct store *store, int64_t from_us, uint64_t *ret_seen)
{
    const struct store_query query = {.from_us = from_us,
                                      .kinds = STORE_KIND(crash) | STORE_KIND(exit)};
    int r = store_each_event(store, &query, count_event, ret_seen);

    return r < 0 ? r : store_each_log(store, &query, count_line, ret_seen);
}

static void show_new_rows(struct follower *follower, const struct gateway_report *report,
                          const char *const *files, int64_t from_us)
{
    const struct gateway_follow *follow = follower->follow;
    const int64_t now_us = clock_now_us();

    follower->is_holding = false;
    for (size_t i = 0; i < report->row_count; i++) {
        const struct gateway_row *row = &report->rows[i];

        if (row->time_us < from_us || !follow->wants(follow->ctx, row, files))
            continue;
        if (!shown_rows_is_settled(row, now_us))
            follower->is_holding = true;
        else if (shown_rows_add(follower->shown, row))
            follow->show(follow->ctx, row, files);
    }
    fflush(stdout);
}

static int judge(struct follower *follower, struct gateway_source *source, int64_t from_us)
{
    struct gateway *gateway = gateway_new(NULL);
    int r = gateway ? 0 : -ENOMEM;

    if (r == 0)
        r = gateway_source_read_store(source, gateway);
    if (r == 0)
        show_new_rows(follower, gateway_finish(gateway), source->names, from_us);
    gateway_free(gateway);
    return r;
}

/* Rows that will never come are better explained than waited for. */
static void say_when_silent(struct follower *follower, struct store *store)
{
    char text[32] = "";

    if (!store_fact(store, "seen_us", text, sizeof text))
        return;
    bool is_silent = clock_now_us() - atoll(text) > SILENT_US;

    if (is_silent && !follower->said_silent)
        fputs("fpmscope 502: no collector writes into this store at the moment\n", stderr);
    follower->said_silent = is_silent;
}

static int look(struct follower *follower)
{
    const struct gateway_follow *follow = follower->follow;
    int64_t from_us = clock_now_us() - WINDOW_US;
    uint64_t seen = 0;

    /* The first look may go back further, to --since. */
    if (from_us < follower->started_us || follower->seen == 0)
        from_us = follower->started_us;
    struct gateway_source source = {.data = follow->data, .feed.period.from_us = from_us};
    struct store_message message;
    int r = gateway_source_open_store(&source, &message);

    if (r < 0)
        fprintf(stderr, "fpmscope 502: %s\n", message.text);
    else
        r = look_for_news(source.store, from_us, &seen);
    if (r == 0 && (seen != follower->seen || follower->is_holding)) {
        r = judge(follower, &source, from_us);
        follower->seen = seen ? seen : 1;
    }
    if (r == 0)
        say_when_silent(follower, source.store);
    gateway_source_close(&source);
    return r;
}

static bool nobody_reads(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};

    return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP));
}

/* True when it is time to stop. */
static bool wait_a_second(const struct gateway_follow *follow, const sigset_t *stop_signals)
{
    const struct timespec second = {.tv_sec = EVERY_S};

    if (sigtimedwait(stop_signals, NULL, &second) > 0 || nobody_reads())
        return true;
    return follow->to_us > 0 && clock_now_us() > follow->to_us + SILENT_US;
}

int gateway_follow(const struct gateway_follow *follow)
{
    struct follower follower = {.follow = follow,
                                .shown = shown_rows_new(),
                                .started_us = follow->from_us ? follow->from_us : clock_now_us()};
    sigset_t stop_signals;
    int r;

    if (!follower.shown)
        return CLI_NO_DATA;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop_signals, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    do
        r = look(&follower);
    while (r == 0 && !wait_a_second(follow, &stop_signals));
    shown_rows_free(follower.shown);
    return r < 0 ? CLI_NO_DATA : CLI_OK;
}
