/* coverage.c - what could not be seen, counted by the hour. */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "store/database.h"
#include "store/store_internal.h"

static struct coverage_note *find(struct store *store, const char *name, struct slice detail)
{
    for (int i = 0; i < store->coverage_count; i++) {
        struct coverage_note *note = &store->coverage[i];

        if (strcmp(note->name, name) == 0 && slice_equal(slice_of(note->detail), detail))
            return note;
    }
    return NULL;
}

static struct coverage_note *add(struct store *store, const char *name, struct slice detail)
{
    struct coverage_note *note = &store->coverage[store->coverage_count++];

    *note = (struct coverage_note){0};
    snprintf(note->name, sizeof note->name, "%s", name);
    if (detail.len_bytes > 0)
        memcpy(note->detail, detail.ptr, detail.len_bytes);
    return note;
}

void store_add_coverage(struct store *store, const char *name, struct slice detail, uint64_t n)
{
    detail = slice_head(detail, STORE_TEXT_BYTES - 1);
    struct coverage_note *note = find(store, name, detail);

    /* The last place is kept for what has no place: the number is right, its detail is not. */
    if (!note && store->coverage_count >= STORE_COVERAGE_MAX - 1) {
        name = "coverage_overflow";
        detail = SLICE("");
        note = find(store, name, detail);
    }
    if (!note)
        note = add(store, name, detail);
    note->n += n;
    note->last_us = clock_now_us();
}

static int write_note(sqlite3_stmt *insert, const struct coverage_note *note)
{
    sqlite3_bind_int64(insert, 1, note->last_us - note->last_us % STORE_HOUR_US);
    sqlite3_bind_text(insert, 2, note->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 3, note->detail, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 4, (int64_t) note->n);
    sqlite3_bind_int64(insert, 5, note->last_us);
    int stepped = sqlite3_step(insert);
    sqlite3_reset(insert);
    return database_errno(stepped);
}

int store_write_coverage(struct store *store)
{
    sqlite3_stmt *insert = NULL;

    if (store->coverage_count == 0)
        return 0;
    int r = database_prepare(store->db,
                             "INSERT INTO coverage VALUES(?, ?, ?, ?, ?)"
                             " ON CONFLICT(hour, name, detail) DO UPDATE"
                             " SET n = n + excluded.n, last_us = excluded.last_us",
                             &insert);
    for (int i = 0; r == 0 && i < store->coverage_count; i++)
        r = write_note(insert, &store->coverage[i]);
    sqlite3_finalize(insert);
    return r;
}

void store_forget_coverage(struct store *store)
{
    store->coverage_count = 0;
}
