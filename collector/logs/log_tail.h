/*
 * log_tail.h - one open log that grows: read what is new, notice when it was emptied.
 *
 * A tail keeps its file open, so it goes on reading the file when somebody renames it.  log_follow
 * puts the tails of a path that is rotated together.
 */
#ifndef FPMSCOPE_LOGS_LOG_TAIL_H
#define FPMSCOPE_LOGS_LOG_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "logs/log_source.h"

enum { LOG_MARK_BYTES = 64 };

/*
 * A place in a file that survives a restart: which file, how far, and a checksum of the bytes
 * before, so that an inode that was given to another file, or a file that was emptied and filled
 * again, is not taken for the old one.  inode 0: none.
 */
struct log_place {
    uint64_t device, inode;
    int64_t offset_bytes;
    uint64_t mark;
};

struct log_tail;

/*
 * Take over `fd` (closed in any case) and read on from `offset_bytes`.  `options` and `report`
 * outlive the tail; counts are added to `report`.
 */
int log_tail_new(int fd, int64_t offset_bytes, int file, const struct log_options *options,
                 struct log_report *report, struct log_tail **ret_tail);

void log_tail_free(struct log_tail *tail);

/*
 * Read up to `budget_bytes` of what is new.  Returns 0, 1 when there is more, a negative errno, or
 * what the callback returned.  `ret_grew`: there was something new.  A file that was emptied
 * (copytruncate) is read from its beginning; truncations counts them.  A record that waits for more
 * lines is given when nothing has come since the last call.
 */
int log_tail_poll(struct log_tail *tail, int64_t budget_bytes, log_event_fn on_event, void *ctx,
                  bool *ret_grew);

/* Give what is still waiting: before the tail is freed. */
int log_tail_flush(struct log_tail *tail, log_event_fn on_event, void *ctx);

int64_t log_tail_truncations(const struct log_tail *tail);

/* The first byte that no event has been given for. */
struct log_place log_tail_place(const struct log_tail *tail);

/* Does the open file `fd` still hold what `place` says? */
bool log_place_holds(const struct log_place *place, int fd);

#endif
