/*
 * collector_memory.h - who holds the host's memory, every ten seconds, so that an OOM kill can be
 * explained afterwards.
 *
 * Stored as `rss` events that have a name (of processes; php-fpm's with their pool) and a number of
 * processes instead of a pid, the largest few; "(available)" is the kernel's MemAvailable.  Stored
 * when something changed by an eighth, else once a minute.
 */
#ifndef FPMSCOPE_CLI_COLLECT_COLLECTOR_MEMORY_H
#define FPMSCOPE_CLI_COLLECT_COLLECTOR_MEMORY_H

#include "model/memory_holders.h"
#include "store/store.h"

struct collector_memory {
    struct memory_holders stored;
    int64_t stored_us;
};

/* Walk /proc once and store what was found, if it is news.  Never fails; a host that shows no
 * processes gives no events. */
void collector_memory_look(struct collector_memory *memory, struct store *store, int64_t now_us);

/* Does `now` differ enough from what was stored to be stored? */
bool collector_memory_is_news(const struct collector_memory *memory,
                              const struct memory_holders *now, int64_t now_us);

#endif
