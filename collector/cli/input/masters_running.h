/*
 * masters_running.h - the masters of nginx and php-fpm that run on this host, found by their
 * titles.
 *
 * A title is the process's own words: before anything is done with it, ask who runs that process
 * (command_output.h).
 */
#ifndef FPMSCOPE_CLI_INPUT_MASTERS_RUNNING_H
#define FPMSCOPE_CLI_INPUT_MASTERS_RUNNING_H

#include <stdint.h>

#include "base/slice.h"

/* `title` is valid until the return. */
typedef void (*master_running_fn)(void *ctx, int64_t pid, struct slice title);

/* Every process whose title begins with `prefix`: "nginx: master process". */
void masters_running(const char *prefix, master_running_fn fn, void *ctx);

/* Numbers that change ... */
struct masters_mark {
    uint64_t masters; /* when a master of nginx or php-fpm comes, goes, or is called otherwise */
    uint64_t files;   /* when one of root's or of our own opens or closes files: a reload keeps pid
                         and title, and opens the logs of the new configuration */
};

struct masters_mark masters_running_mark(void);

#endif
