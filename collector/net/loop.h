/*
 * loop.h - the collector's one loop: descriptors, timers and signals, served by libuv, which is
 * seen in this folder only.
 *
 * Callbacks run one at a time on the thread that called loop_run().  Freeing a watch from inside
 * any callback is allowed; its callback is not called again.  The descriptor of a watch belongs to
 * its owner and may be closed as soon as the watch is freed.
 */
#ifndef FPMSCOPE_NET_LOOP_H
#define FPMSCOPE_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;

typedef void (*loop_fn)(void *ctx);
typedef void (*loop_signal_fn)(void *ctx, int signo);

int loop_new(struct loop **ret_loop);
/* Frees the watches that are left.  NULL is allowed. */
void loop_free(struct loop *loop);

/* Until loop_stop(); may be called again. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Call `fn` whenever `fd` is readable or at its end. */
int loop_watch_fd(struct loop *loop, int fd, loop_fn fn, void *ctx, struct loop_watch **ret_watch);
/* Stop looking for a while, and look again. */
void loop_watch_pause(struct loop_watch *watch, bool paused);

/* Call `fn` after `first_ms` and then, unless 0, every `every_ms`. */
int loop_watch_time(struct loop *loop, uint64_t first_ms, uint64_t every_ms, loop_fn fn, void *ctx,
                    struct loop_watch **ret_watch);

int loop_watch_signal(struct loop *loop, int signo, loop_signal_fn fn, void *ctx,
                      struct loop_watch **ret_watch);

/* NULL is allowed. */
void loop_watch_free(struct loop_watch *watch);

#endif
