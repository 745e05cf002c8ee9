/*
 * crash.h - the last words of a worker: SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE.
 *
 * The handler does not diagnose.  On a stack of its own it copies into the recorder page what
 * cannot be had later (signal, registers, PHP stack, map of the code, 64 KB of stack), sends one
 * CRASH message, puts the previous action back and returns: the fault happens again, untouched, so
 * that the exit status, the core dump and the kernel's line are what they would have been.  A child
 * of the collector unwinds the copy.
 *
 * Rules in the handler: no lock, no allocation, no loader (so no unwinder), no stdio; memory that
 * may be garbage is read through memory_reader; a second fault, or CRASH_DEADLINE_MS, ends it at
 * once with the original signal.
 */
#ifndef FPMSCOPE_CRASH_CRASH_H
#define FPMSCOPE_CRASH_CRASH_H

#include <stdbool.h>

#include "fpmscope/recorder.h"
#include "stack/php_engine.h"
#include "stack/php_layout.h"

enum { CRASH_DEADLINE_MS = 500, CRASH_ALTERNATE_STACK_BYTES = 64 * 1024 };

/* Borrowed for the life of the process. */
struct crash_sources {
    struct recorder_page *page;      /* shared, or private memory; never NULL */
    const struct php_engine *engine; /* NULL: no PHP stack */
    /* Where the current layout is kept: it becomes NULL when the walker's first-use check fails. */
    const struct php_layout *const *layout;
    const int *socket_fd; /* current connection to the collector, -1 for none */
};

/*
 * In a worker, at its first accept(): install the alternate stack (unless the thread has one) and
 * the five handlers, keeping earlier actions for chaining.  0, or -errno and nothing changed.
 */
int crash_install(const struct crash_sources *sources);

/* In a fork child of a worker: from now on the handler only passes the signal on.  Signal-safe. */
void crash_disarm(void);

#endif
