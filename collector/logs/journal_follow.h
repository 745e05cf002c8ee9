/*
 * journal_follow.h - following a journal from poll to poll: what log_follow.h is for files.
 *
 * Entries come as events of the system log's format, and as the lines that journal_entry.h makes of
 * them.  The journal rotates and forgets by itself; a cursor names an entry for ever.
 */
#ifndef FPMSCOPE_LOGS_JOURNAL_FOLLOW_H
#define FPMSCOPE_LOGS_JOURNAL_FOLLOW_H

#include <stdint.h>

#include "logs/journal.h"
#include "logs/log_source.h"

struct journal_follow;

/*
 * Follow the journal `path` behind the entry `cursor` (NULL: behind its end).  `options` may be
 * NULL and outlives the follower.  0, or what journal_open() says.
 */
int journal_follow_new(const char *path, int file, const char *cursor,
                       const struct log_options *options, struct journal_follow **ret_follow);

void journal_follow_free(struct journal_follow *follow);

/* Read what is new, at most some ten thousand entries.  0; 1 when there is more; a negative errno;
 * or what the callback returned. */
int journal_follow_poll(struct journal_follow *follow, log_event_fn on_event, void *ctx);

/* The entry that was read last, for the next start; NULL: none. */
const char *journal_follow_cursor(struct journal_follow *follow);

#endif
