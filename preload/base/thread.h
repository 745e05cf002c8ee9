/*
 * thread.h - the shim's one block of thread-local storage.
 *
 * Its first three words, in one cache line, are all that malloc() and free() look at on their
 * straight way.
 * `room_bytes` and `free_filter` are closed whenever there is anything to think about: a thread
 * that is not the one that runs PHP, a process where the shim is inert, or code of the shim itself
 * (the guard), whose allocations are not the host's.
 */
#ifndef FPMSCOPE_BASE_THREAD_H
#define FPMSCOPE_BASE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/free_filter.h"

struct ledger_slot;

struct thread {
    int64_t room_bytes;         /* may be allocated before the next thought; malloc() counts down */
    const uint8_t *free_filter; /* of this thread, now */
    uint64_t freed_bytes;       /* not yet in `slot` */
    int64_t granted_bytes;      /* what `room_bytes` began with */
    struct ledger_slot *slot;   /* this thread's counters; NULL: none, or the guard is up */
    struct ledger_slot *parked; /* the three while the guard is up */
    int64_t parked_room_bytes;
    const uint8_t *parked_free_filter;
    bool busy;     /* the guard is up: the shim is at work on this thread */
    bool main;     /* runs PHP; the only one with room, and the only one that is sampled */
    bool finished; /* its counters were given back: the thread is ending */
} __attribute__((aligned(64)));

extern __thread struct thread thread_self __attribute__((tls_model("initial-exec")));

/* False: the shim is at work further out on this stack; leave the call alone. */
static inline bool guard_enter(void)
{
    if (thread_self.busy)
        return false;
    thread_self.busy = true;
    thread_self.parked = thread_self.slot;
    thread_self.slot = NULL;
    thread_self.parked_room_bytes = thread_self.room_bytes;
    thread_self.room_bytes = 0;
    thread_self.parked_free_filter = thread_self.free_filter;
    thread_self.free_filter = free_filter_closed;
    return true;
}

static inline void guard_leave(void)
{
    thread_self.slot = thread_self.parked;
    thread_self.room_bytes = thread_self.parked_room_bytes;
    thread_self.free_filter = thread_self.parked_free_filter;
    thread_self.busy = false;
}

/* At places where no shim frame can be further out: a longjmp (memory_limit, exit) may have jumped
 * over a guard_leave(). */
static inline void guard_reset(void)
{
    if (thread_self.busy)
        guard_leave();
}

#endif
