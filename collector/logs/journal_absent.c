/* journal_absent.c - linked where libsystemd is not: there is no journal to read. */
#include <errno.h>

#include "logs/journal.h"

int journal_open(const char *path, int64_t since_us, struct journal **ret_journal)
{
    (void) path;
    (void) since_us;
    (void) ret_journal;
    return -ENOTSUP;
}

void journal_close(struct journal *journal)
{
    (void) journal;
}

int journal_next(struct journal *journal, int64_t entries_max, struct log_line *ret_line)
{
    (void) journal;
    (void) entries_max;
    (void) ret_line;
    return 0;
}

int journal_seek_end(struct journal *journal)
{
    (void) journal;
    return -ENOTSUP;
}

int journal_seek(struct journal *journal, const char *cursor)
{
    (void) journal;
    (void) cursor;
    return -ENOTSUP;
}

int journal_refresh(struct journal *journal)
{
    (void) journal;
    return -ENOTSUP;
}

bool journal_cursor(struct journal *journal, char cursor[JOURNAL_CURSOR_BYTES])
{
    (void) journal;
    (void) cursor;
    return false;
}
