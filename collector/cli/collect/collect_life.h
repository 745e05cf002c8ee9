/*
 * collect_life.h - a collector from its start until it is told to stop.
 */
#ifndef FPMSCOPE_CLI_COLLECT_COLLECT_LIFE_H
#define FPMSCOPE_CLI_COLLECT_COLLECT_LIFE_H

#include "cli/collect/collector.h"

enum { COLLECT_LIFE_ALONE = -1 };

/*
 * SIGINT and SIGTERM end it; while it starts and while it stops they wait, so that each stop is a
 * clean one, and they still wait when this returns: the process is expected to end now.
 *
 * `ready_fd`: a byte is written to it when the collector listens, and SIGINT is ignored, because
 * Ctrl-C is the business of whoever waits for that byte.  COLLECT_LIFE_ALONE: nobody does.
 *
 * 0, or -errno after the reason has been printed; -EBADMSG: a new store could not be used either.
 */
int collect_life(const struct collector_options *options, int ready_fd);

#endif
