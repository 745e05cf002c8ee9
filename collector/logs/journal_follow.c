/* journal_follow.c - new entries of a journal, poll by poll. */
#include "logs/journal_follow.h"

#include <errno.h>
#include <stdlib.h>

#include "logs/log_decoder.h"

enum { ENTRIES_PER_POLL = 20000 };

struct journal_follow {
    struct journal *journal;
    struct log_decoder *decoder;
    struct log_report report;
    char cursor[JOURNAL_CURSOR_BYTES];
};

int journal_follow_new(const char *path, int file, const char *cursor,
                       const struct log_options *options, struct journal_follow **ret_follow)
{
    struct journal_follow *follow = calloc(1, sizeof *follow);
    int r = follow ? journal_open(path, 0, &follow->journal) : -ENOMEM;

    /* A cursor of another journal or of another program is as good as none. */
    if (r == 0 && (!cursor || journal_seek(follow->journal, cursor) < 0))
        r = journal_seek_end(follow->journal);
    if (r >= 0) {
        log_report_init(&follow->report);
        r = log_decoder_new(options, file, 0, false, &follow->decoder, &follow->report);
    }
    if (r < 0) {
        journal_follow_free(follow);
        return r;
    }
    *ret_follow = follow;
    return 0;
}

void journal_follow_free(struct journal_follow *follow)
{
    if (!follow)
        return;
    log_decoder_free(follow->decoder);
    journal_close(follow->journal);
    free(follow);
}

int journal_follow_poll(struct journal_follow *follow, log_event_fn on_event, void *ctx)
{
    struct log_line line;
    int r = journal_refresh(follow->journal);

    for (int i = 0; r == 0 && i < ENTRIES_PER_POLL; i++) {
        r = journal_next(follow->journal, ENTRIES_PER_POLL, &line);
        if (r == 0)
            return 0;
        if (r == -EAGAIN)
            return 1;
        if (r > 0)
            r = log_decoder_line(follow->decoder, &line, on_event, ctx, &follow->report);
    }
    return r == 0 ? 1 : r;
}

const char *journal_follow_cursor(struct journal_follow *follow)
{
    return journal_cursor(follow->journal, follow->cursor) ? follow->cursor : NULL;
}
