/*
 * thread.h - the shim's one block of thread-local storage.
 *
 * `slot` alone decides whether an allocation takes the fast path: it points to this thread's
 * counters, and is NULL whenever there is anything to think about: a thread that is new, a process
 * where the shim is inert, or code of the shim itself (the guard), whose allocations are not the
 * host's.
 */
#ifndef FPMSCOPE_BASE_THREAD_H
#define FPMSCOPE_BASE_THREAD_H

#include <stdbool.h>
#include <stddef.h>

struct ledger_slot;

struct thread {
    struct ledger_slot *slot;
    struct ledger_slot *parked; /* `slot` while the guard is up */
    bool busy;                  /* the guard is up: the shim is at work on this thread */
    bool main;                  /* runs PHP; the only one that is sampled */
    bool finished;              /* its counters were given back: the thread is ending */
};

extern __thread struct thread thread_self __attribute__((tls_model("initial-exec")));

/* False: the shim is at work further out on this stack; leave the call alone. */
static inline bool guard_enter(void)
{
    if (thread_self.busy)
        return false;
    thread_self.busy = true;
    thread_self.parked = thread_self.slot;
    thread_self.slot = NULL;
    return true;
}

static inline void guard_leave(void)
{
    thread_self.slot = thread_self.parked;
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
