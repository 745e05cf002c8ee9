/*
 * run_places.h - page directories and sockets of `fpmscope run`, and what is left of those that
 * were killed.
 *
 * Each run has one of its own, PARENT/run-PID on a tmpfs, and removes it at its end.  As long as it
 * or its collector lives, the directory is locked (flock): a kill -9, which leaves it there for
 * ever, lets the lock go, and the next run or collector removes it.
 */
#ifndef FPMSCOPE_CLI_COLLECT_RUN_PLACES_H
#define FPMSCOPE_CLI_COLLECT_RUN_PLACES_H

#include <stddef.h>

/* Where the directories of this user's runs are.  0 or -ENAMETOOLONG. */
int run_places_parent(char *ret_path, size_t size_bytes);

/* Make the directory of this process and hold it.  A descriptor to close at the end, -errno. */
int run_places_make(const char *parent, char *ret_path, size_t size_bytes);

/*
 * Remove the directories of runs that are over for certain: nobody holds it, its process is gone or
 * runs another program, and no page in it is a living worker's.  Only what is ours and nobody else
 * could have written into; only files that are called like a page.  Returns how many went.
 */
size_t run_places_sweep(const char *parent);

/* The same for their sockets, DIRECTORY/run-PID.sock, on which nobody listens any more. */
size_t run_places_sweep_sockets(const char *directory);

#endif
