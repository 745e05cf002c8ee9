/*
 * journal.h - systemd's journal, read through libsystemd, as lines (journal_entry.h).
 *
 * Two sources stand behind this header and one of them is linked: journal_systemd.c, or
 * journal_absent.c where libsystemd was missing when fpmscope was built; there journal_open() is
 * -ENOTSUP.  One thread per journal; a journal does not survive fork().
 */
#ifndef FPMSCOPE_LOGS_JOURNAL_H
#define FPMSCOPE_LOGS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/line_reader.h"

/* What stands for this host's journal where a path is asked for. */
#define JOURNAL_OF_HOST "journal:"

enum { JOURNAL_CURSOR_BYTES = 192 };

struct journal;

/* Is this the name of a journal: JOURNAL_OF_HOST, a .journal file, or a directory that has some? */
bool journal_is(const char *path);

/* Does this host keep a journal (whether we may read it or not)? */
bool journal_exists(void);

/*
 * A system journal that is there and that we may not read, NULL: none.  Static memory of the
 * caller: `buffer` of at least PATH_MAX bytes.
 */
const char *journal_unreadable(char *buffer, size_t size_bytes);

/*
 * Open the journal called `path`; entries before `since_us` (0: none) are left out.  0; -ENOTSUP:
 * built without libsystemd; or a negative errno.
 */
int journal_open(const char *path, int64_t since_us, struct journal **ret_journal);
void journal_close(struct journal *journal);

/* Why journal_open() failed, for people. */
const char *journal_problem(int r);

/*
 * 1 and the line of the next entry that matters (valid until the next call); 0 when there is none
 * for now; a negative errno.  Its offset is the entry's time in microseconds, made unique.  At most
 * `entries_max` entries are looked at (then -EAGAIN: there may be more), 0: all.
 */
int journal_next(struct journal *journal, int64_t entries_max, struct log_line *ret_line);

/* ---- following -------------------------------------------------------------------------------
 */

/* Behind the last entry that is there. */
int journal_seek_end(struct journal *journal);

/* Behind the entry that `cursor` names, or where it would be. */
int journal_seek(struct journal *journal, const char *cursor);

/* Look for entries that came since; before journal_next() when that has said 0. */
int journal_refresh(struct journal *journal);

/* The entry that was looked at last; false: none. */
bool journal_cursor(struct journal *journal, char cursor[JOURNAL_CURSOR_BYTES]);

#endif
