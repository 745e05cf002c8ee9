/*
 * retain.c - cut old tape: rows above the age, then the oldest ones above the size, then stacks
 * that nothing has used since.
 */
#include <errno.h>

#include "store/database.h"
#include "store/store_internal.h"

enum { CUT_ROWS_MAX = 5000 /* of a table per call: milliseconds */ };

/* Rows with keys below `key`, a piece of them; the number of rows that went. */
static int cut_table(struct store *store, const char *table, int64_t key, int64_t *ret_rows)
{
    char sql[256];

    sqlite3_snprintf(sizeof sql, sql,
                     "DELETE FROM %s WHERE at IN"
                     " (SELECT at FROM %s WHERE at < %lld ORDER BY at LIMIT %d)",
                     table, table, (long long) key, CUT_ROWS_MAX);
    int r = database_run(store->db, sql);
    if (r == 0)
        *ret_rows += sqlite3_changes(store->db);
    return r;
}

/* 1 when there may be more of them. */
static int cut_before(struct store *store, int64_t time_us)
{
    int r = database_run(store->db, "BEGIN IMMEDIATE");
    bool more = false;

    if (r < 0)
        return r;
    for (unsigned table = 0; r == 0 && table < TABLE_COUNT; table++) {
        int64_t rows = 0;

        if (table != EVENT_stk)
            r = cut_table(store, store_tables[table].name, time_key_first(time_us), &rows);
        more |= rows >= CUT_ROWS_MAX;
    }
    if (r == 0)
        r = database_run(store->db, "COMMIT");
    if (r < 0)
        database_run(store->db, "ROLLBACK");
    return r < 0 ? r : more;
}

static int used_bytes(struct store *store, int64_t *ret_bytes)
{
    int64_t pages = 0, unused = 0, page_bytes = 0;
    int r = database_number(store->db, "PRAGMA page_count", &pages);

    if (r == 0)
        r = database_number(store->db, "PRAGMA freelist_count", &unused);
    if (r == 0)
        r = database_number(store->db, "PRAGMA page_size", &page_bytes);
    *ret_bytes = (pages - unused) * page_bytes;
    return r;
}

/* The time before which a twentieth of the period lies: an estimate is enough to cut by. */
static int oldest_part(struct store *store, int64_t now_us, int64_t *ret_cut_us)
{
    struct store_info info;
    int r = store_inspect(store, &info);

    if (r < 0 || info.first_us == 0)
        return r < 0 ? r : -ENODATA;
    int64_t last_us = info.last_us < now_us ? info.last_us : now_us;
    *ret_cut_us = info.first_us + (last_us - info.first_us) / 20 + 1;
    return 0;
}

static int cut_coverage(struct store *store, int64_t time_us)
{
    char sql[96];

    sqlite3_snprintf(sizeof sql, sql, "DELETE FROM coverage WHERE hour < %lld",
                     (long long) time_us);
    return database_run(store->db, sql);
}

/* One piece above the size limit.  1 when the store is still too large. */
static int cut_size(struct store *store, int64_t now_us)
{
    int64_t bytes;
    int r = used_bytes(store, &bytes);

    if (r < 0 || bytes <= store->limits.max_bytes)
        return r;
    if (store->cut_us == 0)
        r = oldest_part(store, now_us, &store->cut_us);
    if (r < 0)
        return r == -ENODATA ? 0 : r;
    r = cut_before(store, store->cut_us);
    if (r == 0) {
        r = store_cut_stacks(store, store->cut_us);
        store->cut_us = 0;
        store_add_coverage(store, "store_size_limit", SLICE("oldest data cut off"), 1);
    }
    return r < 0 ? r : 1;
}

int store_retain(struct store *store, int64_t now_us)
{
    const int64_t oldest_us = now_us - store->limits.max_age_us;

    if (!(store->flags & STORE_WRITE))
        return -EROFS;
    int r = store_flush(store);
    if (r == 0)
        r = cut_before(store, oldest_us);
    if (r != 0)
        return r;
    r = store_cut_stacks(store, oldest_us);
    if (r == 0)
        r = cut_coverage(store, oldest_us);
    if (r == 0)
        r = cut_size(store, now_us);
    if (r == 0)
        database_run(store->db, "PRAGMA incremental_vacuum(2000)");
    return r;
}
