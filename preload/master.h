/*
 * master.h - what only php-fpm's master knows: whom it forked, how they ended, whom it signalled.
 *
 * Each is one packet of its own, sent at once.  The functions keep errno.
 */
#ifndef FPMSCOPE_MASTER_H
#define FPMSCOPE_MASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "recorder/recorder.h"
#include "session.h"

struct master {
    struct session *session;
    struct recorder_place place;
    bool has_killed;     /* sent SIGKILL itself: such deaths are its own doing */
    uint32_t kept_pages; /* of workers that died while no collector was there */
};

enum { MASTER_KEPT_PAGES_MAX = 64 };

/* This process has forked for the first time.  Borrows what `place` points to. */
void master_start(struct master *master, struct session *session,
                  const struct recorder_place *place);

void master_forked(struct master *master, pid_t child);

/* Without a collector the page of a worker is removed, unless it may explain a death. */
void master_reaped(struct master *master, pid_t child, int status);

/* Did the worker die of something worth looking into? */
bool master_wonders(const struct master *master, int status);

#endif
