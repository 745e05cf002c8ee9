/*
 * worker.h - the life of a php-fpm worker: requests, what they cost, and what is said about them.
 *
 * The hooks of the I/O functions come here with what happened; the tracker decides what it means,
 * the ledger what it cost, the recorder and the session hear of it.  Main thread only.
 *
 * errno is kept.
 */
#ifndef FPMSCOPE_WORKER_H
#define FPMSCOPE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config.h"
#include "session.h"
#include "stack/unwind_library.h"

/* The connection being served, -1 for none: what makes a read() or write() one of ours. */
extern int worker_connection_fd;

/* An armed request is in flight. */
extern bool worker_minds_timer;

/* In the constructor, before any chroot.  `config` is borrowed; `stack_top` and `loader`: see
 * native_stack_init(). */
void worker_prepare(const struct config *config, const void *stack_top,
                    const struct unwind_loader *loader);

/* In a fork child of the master, before setuid and chroot: it may become a worker. */
void worker_candidate(struct session *session);

/* It did not. */
void worker_discard(void);

/* In a fork child of a worker: whatever it is, it serves no requests. */
void worker_abandon(void);

/* Around accept() of `listen_fd`; the first one makes this process a worker. */
void worker_before_accept(int listen_fd);
void worker_accepted(int listen_fd, int fd);

/* Around read() of the connection, when it brought something. */
void worker_before_read(void);
void worker_did_read(const void *bytes, size_t len_bytes);

/* php-fpm has set or ended its execution timer; told while `worker_minds_timer`. */
void worker_execution_timer(bool is_set);

/* After write() to it, and before close(). */
void worker_did_write(const void *bytes, size_t len_bytes);
void worker_failed_to_write(int error);
void worker_will_close(void);

#endif
