/* collect_life.c - see collect_life.h. */
#include "cli/collect/collect_life.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static void on_signal(void *ctx, int signo)
{
    (void) signo;
    loop_stop(collector_loop(ctx));
}

static void hold_signals(int how)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(how, &signals, NULL);
}

/* The watches live as long as the loop. */
static void mind_signals(struct collector *collector, int ready_fd)
{
    struct loop *loop = collector_loop(collector);
    struct loop_watch *watch;

    signal(SIGPIPE, SIG_IGN); /* data gone, terminal gone: neither is a reason to end */
    loop_watch_signal(loop, SIGTERM, on_signal, collector, &watch);
    if (ready_fd == COLLECT_LIFE_ALONE)
        loop_watch_signal(loop, SIGINT, on_signal, collector, &watch);
    else
        signal(SIGINT, SIG_IGN);
    hold_signals(SIG_UNBLOCK);
}

static void say_ready(int ready_fd)
{
    if (ready_fd != COLLECT_LIFE_ALONE) {
        ssize_t n = write(ready_fd, "r", 1); /* a second time nobody reads it */
        (void) n;
    }
}

static int live_once(const struct collector_options *options, int ready_fd, bool *ret_again)
{
    struct collector *collector;
    int r = collector_new(options, &collector);

    *ret_again = r == -EBADMSG;
    if (r < 0)
        return r;
    mind_signals(collector, ready_fd);
    say_ready(ready_fd);
    loop_run(collector_loop(collector));
    hold_signals(SIG_BLOCK);
    *ret_again = collector_is_spoiled(collector);
    collector_free(collector);
    return 0;
}

int collect_life(const struct collector_options *options, int ready_fd)
{
    bool again = true;
    int r = 0;

    hold_signals(SIG_BLOCK);
    /* Twice would mean that a new store cannot be used either. */
    for (int tries = 0; again && tries < 2; tries++)
        r = live_once(options, ready_fd, &again);
    return again ? -EBADMSG : r;
}
