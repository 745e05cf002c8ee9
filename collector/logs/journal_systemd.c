/*
 * journal_systemd.c - systemd's journal through libsystemd.  The only file that includes it.
 *
 * Offline the journal is asked for the kernel's entries and those of the programs that we know, so
 * that a day of somebody else's chatter costs nothing.  That choice is made once, at the opening; a
 * follower (journal_seek, journal_seek_end) takes it back, because a program may write for the
 * first time later.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-journal.h>

#include "logs/journal.h"
#include "logs/journal_entry.h"
#include "logs/parsers.h"

enum { VALUES_MAX = 4096 };

struct journal {
    sd_journal *sd;
    int64_t last_offset;
    char line[LOG_LINE_MAX_BYTES];
};

static int open_sd(const char *path, sd_journal **ret_sd)
{
    const char *paths[] = {path, NULL};
    struct stat st;

    if (strcmp(path, JOURNAL_OF_HOST) == 0)
        return sd_journal_open(ret_sd, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? sd_journal_open_directory(ret_sd, path, 0)
                               : sd_journal_open_files(ret_sd, paths, 0);
}

static bool is_known_program(const void *data, size_t length_bytes)
{
    const struct slice field = {.ptr = data, .len_bytes = length_bytes};
    const ptrdiff_t equals = slice_index(field, '=');

    return equals >= 0 && system_log_knows(slice_skip(field, (size_t) equals + 1));
}

/* ... or entries whose `field` is a program that we know. */
static int match_programs(sd_journal *sd, const char *field)
{
    const void *data;
    size_t length_bytes;
    int r = sd_journal_query_unique(sd, field);

    if (r == 0)
        r = sd_journal_add_disjunction(sd);
    for (int i = 0; r == 0 && i < VALUES_MAX; i++) {
        r = sd_journal_enumerate_available_unique(sd, &data, &length_bytes);
        if (r <= 0)
            return r;
        r = is_known_program(data, length_bytes) ? sd_journal_add_match(sd, data, length_bytes) : 0;
    }
    return r;
}

static int match_known(sd_journal *sd)
{
    int r = sd_journal_add_match(sd, "_TRANSPORT=kernel", 0);

    if (r == 0)
        r = match_programs(sd, "SYSLOG_IDENTIFIER");
    return r == 0 ? match_programs(sd, "_COMM") : r;
}

int journal_open(const char *path, int64_t since_us, struct journal **ret_journal)
{
    struct journal *journal = calloc(1, sizeof *journal);
    int r = journal ? open_sd(path, &journal->sd) : -ENOMEM;

    if (r >= 0)
        r = match_known(journal->sd);
    if (r >= 0)
        r = since_us > 0 ? sd_journal_seek_realtime_usec(journal->sd, (uint64_t) since_us)
                         : sd_journal_seek_head(journal->sd);
    if (r < 0) {
        journal_close(journal);
        return r;
    }
    *ret_journal = journal;
    return 0;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    sd_journal_close(journal->sd);
    free(journal);
}

/* The value of one field; empty when it is missing or cannot be unpacked.  Valid until the next. */
static struct slice field_value(sd_journal *sd, const char *name)
{
    const void *data;
    size_t length_bytes;

    if (sd_journal_get_data(sd, name, &data, &length_bytes) < 0)
        return (struct slice){0};
    return slice_skip((struct slice){.ptr = data, .len_bytes = length_bytes}, strlen(name) + 1);
}

/* The line of the entry that the journal stands on; empty when it does not matter. */
static struct slice read_entry(struct journal *journal)
{
    enum { VALUE_BYTES = 128 };
    static const char *const names[] = {
#define JOURNAL_TEXT(journal_name, member) journal_name,
#include "logs/journal_fields.def"
#undef JOURNAL_TEXT
    };
    enum { COPIED_COUNT = sizeof names / sizeof names[0] - 1 };
    char copies[COPIED_COUNT][VALUE_BYTES];
    struct journal_entry entry;
    uint64_t time_us;

    journal_entry_init(&entry);
    if (sd_journal_get_realtime_usec(journal->sd, &time_us) < 0)
        return (struct slice){0};
    entry.time_us = (int64_t) time_us;
    for (int i = 0; i < COPIED_COUNT; i++) {
        const struct slice value = slice_head(field_value(journal->sd, names[i]), VALUE_BYTES);

        if (value.len_bytes > 0)
            memcpy(copies[i], value.ptr, value.len_bytes);
        journal_entry_set(&entry, slice_of(names[i]), (struct slice){copies[i], value.len_bytes});
    }
    if (journal_entry_program(&entry).len_bytes == 0)
        return (struct slice){0};
    entry.message = field_value(journal->sd, "MESSAGE");
    return journal_entry_line(&entry, journal->line, sizeof journal->line);
}

int journal_next(struct journal *journal, int64_t entries_max, struct log_line *ret_line)
{
    for (int64_t looked = 0; entries_max == 0 || looked < entries_max; looked++) {
        const int r = sd_journal_next(journal->sd);
        uint64_t time_us = 0;

        if (r <= 0)
            return r;
        const struct slice line = read_entry(journal);
        if (line.len_bytes == 0)
            continue;
        (void) sd_journal_get_realtime_usec(journal->sd, &time_us);
        if ((int64_t) time_us > journal->last_offset)
            journal->last_offset = (int64_t) time_us;
        else
            journal->last_offset++;
        *ret_line = (struct log_line){.text = line, .offset_bytes = journal->last_offset};
        return 1;
    }
    return -EAGAIN;
}

/* ---- following -------------------------------------------------------------------------------
 */

int journal_seek_end(struct journal *journal)
{
    int r;

    sd_journal_flush_matches(journal->sd);
    r = sd_journal_seek_tail(journal->sd);
    return r < 0 ? r : sd_journal_previous(journal->sd);
}

int journal_seek(struct journal *journal, const char *cursor)
{
    int r;

    sd_journal_flush_matches(journal->sd);
    r = sd_journal_seek_cursor(journal->sd, cursor);
    if (r >= 0)
        r = sd_journal_next(journal->sd);
    /* The entry itself may have been deleted: then this is the first one behind it, and news. */
    if (r > 0 && sd_journal_test_cursor(journal->sd, cursor) <= 0)
        r = sd_journal_previous(journal->sd);
    return r;
}

int journal_refresh(struct journal *journal)
{
    int r = sd_journal_wait(journal->sd, 0);

    return r < 0 ? r : 0;
}

bool journal_cursor(struct journal *journal, char cursor[JOURNAL_CURSOR_BYTES])
{
    char *text;

    if (sd_journal_get_cursor(journal->sd, &text) < 0)
        return false;
    bool fits = strlen(text) < JOURNAL_CURSOR_BYTES;
    if (fits)
        strcpy(cursor, text);
    free(text);
    return fits;
}
