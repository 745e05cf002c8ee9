/* loop.c - libuv behind three kinds of watches. */
#include "net/loop.h"

#include <errno.h>
#include <stdlib.h>

#include <uv.h>

struct loop {
    uv_loop_t uv;
};

struct loop_watch {
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_timer_t timer;
        uv_signal_t signal;
    };
    loop_fn fn;
    loop_signal_fn on_signal;
    void *ctx;
};

int loop_new(struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (!loop)
        return -ENOMEM;
    int r = uv_loop_init(&loop->uv);
    if (r < 0) {
        free(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_left(uv_handle_t *handle, void *ctx)
{
    (void) ctx;
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    uv_walk(&loop->uv, close_left, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    free(loop);
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

static struct loop_watch *watch_new(loop_fn fn, loop_signal_fn on_signal, void *ctx)
{
    struct loop_watch *watch = calloc(1, sizeof *watch);

    if (watch) {
        watch->fn = fn;
        watch->on_signal = on_signal;
        watch->ctx = ctx;
    }
    return watch;
}

/* A handle that was not even initialised has nothing to close. */
static int give(struct loop_watch *watch, int init_result, int start_result,
                struct loop_watch **ret_watch)
{
    if (init_result < 0) {
        free(watch);
        return init_result;
    }
    watch->handle.data = watch;
    if (start_result < 0) {
        loop_watch_free(watch);
        return start_result;
    }
    *ret_watch = watch;
    return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct loop_watch *watch = poll->data;

    (void) status;
    (void) events;
    watch->fn(watch->ctx);
}

int loop_watch_fd(struct loop *loop, int fd, loop_fn fn, void *ctx, struct loop_watch **ret_watch)
{
    struct loop_watch *watch = watch_new(fn, NULL, ctx);

    if (!watch)
        return -ENOMEM;
    int init = uv_poll_init(&loop->uv, &watch->poll, fd);
    int start = init < 0 ? init : uv_poll_start(&watch->poll, UV_READABLE, on_poll);
    return give(watch, init, start, ret_watch);
}

void loop_watch_pause(struct loop_watch *watch, bool paused)
{
    if (paused)
        uv_poll_stop(&watch->poll);
    else
        uv_poll_start(&watch->poll, UV_READABLE, on_poll);
}

static void on_timer(uv_timer_t *timer)
{
    struct loop_watch *watch = timer->data;

    watch->fn(watch->ctx);
}

int loop_watch_time(struct loop *loop, uint64_t first_ms, uint64_t every_ms, loop_fn fn, void *ctx,
                    struct loop_watch **ret_watch)
{
    struct loop_watch *watch = watch_new(fn, NULL, ctx);

    if (!watch)
        return -ENOMEM;
    int init = uv_timer_init(&loop->uv, &watch->timer);
    int start = init < 0 ? init : uv_timer_start(&watch->timer, on_timer, first_ms, every_ms);
    return give(watch, init, start, ret_watch);
}

static void on_signal(uv_signal_t *signal, int signo)
{
    struct loop_watch *watch = signal->data;

    watch->on_signal(watch->ctx, signo);
}

int loop_watch_signal(struct loop *loop, int signo, loop_signal_fn fn, void *ctx,
                      struct loop_watch **ret_watch)
{
    struct loop_watch *watch = watch_new(NULL, fn, ctx);

    if (!watch)
        return -ENOMEM;
    int init = uv_signal_init(&loop->uv, &watch->signal);
    int start = init < 0 ? init : uv_signal_start(&watch->signal, on_signal, signo);
    return give(watch, init, start, ret_watch);
}

void loop_watch_free(struct loop_watch *watch)
{
    if (watch && !uv_is_closing(&watch->handle))
        uv_close(&watch->handle, on_closed);
}
