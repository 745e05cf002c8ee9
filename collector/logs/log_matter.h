/*
 * log_matter.h - which lines of a log are worth keeping for good.
 *
 * A busy shop writes a gigabyte of access lines a day, of which those about failures can ever be
 * asked about, and those around a failure, because one of them may be the same request seen from
 * elsewhere.
 */
#ifndef FPMSCOPE_LOGS_LOG_MATTER_H
#define FPMSCOPE_LOGS_LOG_MATTER_H

#include "model/log_event.h"

enum log_matter {
    LOG_MATTERS_NEARBY, /* only when something failed at about that time */
    LOG_MATTERS,        /* always: errors, restarts, kernel lines */
    LOG_IS_TROUBLE,     /* always, and its surroundings: a request that failed, a death */
};

/* Pure. */
enum log_matter log_matter(const struct log_event *event);

#endif
