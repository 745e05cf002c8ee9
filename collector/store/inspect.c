/* inspect.c - how much is in the store, from when to when, and whether it is sound. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/database.h"
#include "store/store_internal.h"

static int table_range(struct store *store, const char *table, struct store_info *info)
{
    char sql[128];
    int64_t first = 0, last = 0;

    sqlite3_snprintf(sizeof sql, sql, "SELECT at FROM %s ORDER BY at LIMIT 1", table);
    int r = database_number(store->db, sql, &first);
    if (r == -ENOENT)
        return 0;
    sqlite3_snprintf(sizeof sql, sql, "SELECT at FROM %s ORDER BY at DESC LIMIT 1", table);
    if (r == 0)
        r = database_number(store->db, sql, &last);
    if (info->first_us == 0 || time_key_us(first) < info->first_us)
        info->first_us = time_key_us(first);
    if (time_key_us(last) > info->last_us)
        info->last_us = time_key_us(last);
    return r;
}

int store_inspect(struct store *store, struct store_info *ret_info)
{
    int64_t pages = 0, page_bytes = 0;
    int r = database_number(store->db, "PRAGMA page_count", &pages);

    *ret_info = (struct store_info){0};
    store_flush(store);
    if (r == 0)
        r = database_number(store->db, "PRAGMA page_size", &page_bytes);
    for (int kind = 0; r == 0 && kind < EVENT_KIND_COUNT; kind++)
        if (kind != EVENT_stk)
            r = table_range(store, store_tables[kind].name, ret_info);
    ret_info->bytes = pages * page_bytes;
    return r;
}

int store_look(const char *directory)
{
    struct store_message message;
    struct store_info info;
    struct store *store;
    int r = store_open(directory, STORE_READ, NULL, &store, &message);

    if (r < 0)
        return r;
    r = store_inspect(store, &info);
    store_free(store);
    return r;
}

int store_check(struct store *store, struct store_message *ret_message)
{
    sqlite3_stmt *rows = NULL;
    int r = database_prepare(store->db, "PRAGMA integrity_check(1)", &rows);

    ret_message->text[0] = '\0';
    if (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
        const char *answer = (const char *) sqlite3_column_text(rows, 0);

        if (!answer || strcmp(answer, "ok") != 0) {
            snprintf(ret_message->text, sizeof ret_message->text, "'%.300s' is damaged: %.150s",
                     store->path, answer ? answer : "no answer");
            r = -EBADMSG;
        }
    } else if (r == 0) {
        r = -EBADMSG;
    }
    if (r < 0 && !ret_message->text[0])
        snprintf(ret_message->text, sizeof ret_message->text, "cannot check '%.300s': %.120s",
                 store->path, sqlite3_errmsg(store->db));
    sqlite3_finalize(rows);
    return r;
}
