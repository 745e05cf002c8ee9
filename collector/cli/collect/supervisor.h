/*
 * supervisor.h - run a program beside a collector and leave nothing behind.
 *
 *   supervisor            waits for signals and children, forwards, gives up in steps
 *     collector (child)   so that its own end never is the program's, and the other way round
 *     program (child)     in a process group of its own: Ctrl-C reaches us alone, and php-fpm is
 *                         asked (SIGQUIT) to finish what it serves, for as long as its
 *                         process_control_timeout says
 *
 * Orphans of the program (a php-fpm that daemonizes, workers of a master that was killed) become
 * our children and are ended too.  When we are killed the kernel ends both.
 */
#ifndef FPMSCOPE_CLI_COLLECT_SUPERVISOR_H
#define FPMSCOPE_CLI_COLLECT_SUPERVISOR_H

#include <signal.h>
#include <stdbool.h>

#include <sys/types.h>

enum {
    SUPERVISOR_ASK_S = 10,      /* from a graceful end to SIGTERM */
    SUPERVISOR_TERM_S = 15,     /* ... to SIGKILL, both from the first signal */
    SUPERVISOR_NOT_FOUND = 127, /* as shells and env(1) say it */
    SUPERVISOR_NOT_RUN = 126,
};

struct supervised {
    char **argv;                          /* ends with NULL; found through PATH */
    const char *preload, *socket, *pages; /* for its environment */
    /* The collector's life in the child; says ready by writing a byte to `ready_fd`.  SIGINT and
     * SIGTERM wait until it asks for them. */
    int (*collect)(void *ctx, int ready_fd);
    void *ctx;
    sigset_t signals_before; /* that supervisor_hold_signals() found; the program begins with it */
};

/* The signals that supervisor_run() obeys wait for it from here on: call this before the first
 * thing is made that must not be left behind, and undo it when that is gone. */
void supervisor_hold_signals(sigset_t *ret_before);

/*
 * Until the program has ended; it is not begun when the end is asked for before.  Its exit status
 * as a shell gives it (128 + signal), or what the collector returned when that could not start;
 * *ret_interrupted is true when the end was asked for by a signal to us.
 */
int supervisor_run(const struct supervised *what, bool *ret_interrupted);

#endif
