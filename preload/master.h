/*
 * master.h - what only php-fpm's master knows: whom it forked, how they ended, whom it signalled.
 *
 * Each is one packet of its own, sent at once.  The functions keep errno.
 */
#ifndef FPMSCOPE_MASTER_H
#define FPMSCOPE_MASTER_H

#include <sys/types.h>

#include "session.h"

/* This process has forked for the first time. */
void master_start(struct session *session);

void master_forked(struct session *session, pid_t child);
void master_reaped(struct session *session, pid_t child, int status);

#endif
