/* read_lines.c - log lines, and sums of what could not be seen, back out of the store. */
#include "store/database.h"
#include "store/store_internal.h"

static int each_line(sqlite3_stmt *rows, store_log_fn on_line, void *ctx)
{
    int stepped, r = 0;

    while (r == 0 && (stepped = sqlite3_step(rows)) == SQLITE_ROW) {
        const struct store_log_line line = {
            .time_us = time_key_us(sqlite3_column_int64(rows, 0)),
            .file = sqlite3_column_int(rows, 1),
            .format = sqlite3_column_int(rows, 2),
            .offset_bytes = sqlite3_column_int64(rows, 3),
            .line = {.ptr = (const char *) sqlite3_column_text(rows, 4),
                     .len_bytes = (size_t) sqlite3_column_bytes(rows, 4)},
            .uri_hash = sqlite3_column_int64(rows, 5),
        };
        r = on_line(ctx, &line);
    }
    return r ? r : database_errno(stepped);
}

int store_each_log(struct store *store, const struct store_query *query, store_log_fn on_line,
                   void *ctx)
{
    sqlite3_stmt *rows = NULL;

    store_flush(store);
    int r = database_prepare(store->db,
                             "SELECT at, file, format, offset_bytes, line, uri_hash FROM log_line"
                             " WHERE at BETWEEN ? AND ? ORDER BY at",
                             &rows);
    if (r < 0)
        return store_fail(store, r, "read");
    sqlite3_bind_int64(rows, 1, time_key_first(query ? query->from_us : 0));
    sqlite3_bind_int64(rows, 2, query && query->to_us ? time_key_last(query->to_us) : INT64_MAX);
    r = each_line(rows, on_line, ctx);
    sqlite3_finalize(rows);
    return r;
}

static int each_sum(sqlite3_stmt *rows, store_coverage_fn on_row, void *ctx)
{
    int stepped, r = 0;

    while (r == 0 && (stepped = sqlite3_step(rows)) == SQLITE_ROW) {
        const struct store_coverage row = {
            .name = (const char *) sqlite3_column_text(rows, 0),
            .detail = (const char *) sqlite3_column_text(rows, 1),
            .n = (uint64_t) sqlite3_column_int64(rows, 2),
            .last_us = sqlite3_column_int64(rows, 3),
        };
        if (row.name && row.detail)
            r = on_row(ctx, &row);
    }
    return r ? r : database_errno(stepped);
}

int store_each_coverage(struct store *store, const struct store_query *query,
                        store_coverage_fn on_row, void *ctx)
{
    sqlite3_stmt *rows = NULL;
    const int64_t from_us = query ? query->from_us - query->from_us % STORE_HOUR_US : 0;

    store_flush(store);
    int r =
        database_prepare(store->db,
                         "SELECT name, detail, sum(n), max(last_us) FROM coverage"
                         " WHERE hour BETWEEN ? AND ? GROUP BY name, detail ORDER BY name, detail",
                         &rows);
    if (r < 0)
        return store_fail(store, r, "read");
    sqlite3_bind_int64(rows, 1, from_us);
    sqlite3_bind_int64(rows, 2, query && query->to_us ? query->to_us : INT64_MAX);
    r = each_sum(rows, on_row, ctx);
    sqlite3_finalize(rows);
    return r;
}
