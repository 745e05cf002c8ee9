/* log_files.c - the log files that are followed: their numbers, bookmarks and formats. */
#include <errno.h>
#include <stdio.h>

#include "store/database.h"
#include "store/store_internal.h"

static struct log_file *remember(struct store *store, int file, const char *path)
{
    if (store->log_file_count == STORE_LOG_FILES_MAX)
        return NULL;
    struct log_file *known = &store->log_files[store->log_file_count++];
    *known = (struct log_file){.file = file};
    snprintf(known->path, sizeof known->path, "%s", path);
    return known;
}

static struct log_file *by_number(struct store *store, int file)
{
    for (int i = 0; i < store->log_file_count; i++)
        if (store->log_files[i].file == file)
            return &store->log_files[i];
    return NULL;
}

static struct log_file *from_row(struct store *store, sqlite3_stmt *row)
{
    const char *path = (const char *) sqlite3_column_text(row, 1);
    const char *bookmark = (const char *) sqlite3_column_text(row, 2);
    const char *format = (const char *) sqlite3_column_text(row, 3);
    struct log_file *known = remember(store, sqlite3_column_int(row, 0), path ? path : "");

    if (known && bookmark)
        snprintf(known->bookmark, sizeof known->bookmark, "%s", bookmark);
    if (known && format)
        snprintf(known->format, sizeof known->format, "%s", format);
    return known;
}

static struct log_file *load(struct store *store, const char *where, const char *path, int file)
{
    struct log_file *known = NULL;
    sqlite3_stmt *row = NULL;
    char sql[128];

    sqlite3_snprintf(sizeof sql, sql, "SELECT file, path, bookmark, format FROM log_file WHERE %s",
                     where);
    if (database_prepare(store->db, sql, &row) < 0)
        return NULL;
    if (path)
        sqlite3_bind_text(row, 1, path, -1, SQLITE_STATIC);
    else
        sqlite3_bind_int(row, 1, file);
    if (sqlite3_step(row) == SQLITE_ROW)
        known = from_row(store, row);
    sqlite3_finalize(row);
    return known;
}

static int insert_file(struct store *store, const char *path)
{
    char *sql = sqlite3_mprintf("INSERT OR IGNORE INTO log_file(path) VALUES(%Q)", path);
    int r = sql ? database_run(store->db, sql) : -ENOMEM;

    sqlite3_free(sql);
    return r;
}

int store_log_file(struct store *store, const char *path)
{
    if (strlen(path) >= PATH_MAX)
        return -ENAMETOOLONG;
    for (int i = 0; i < store->log_file_count; i++)
        if (strcmp(store->log_files[i].path, path) == 0)
            return store->log_files[i].file;
    struct log_file *known = load(store, "path = ?", path, 0);
    if (!known) {
        int r = store->log_file_count < STORE_LOG_FILES_MAX ? insert_file(store, path) : -ENFILE;

        if (r < 0)
            return r;
        known = load(store, "path = ?", path, 0);
    }
    return known ? known->file : -EIO;
}

const char *store_log_path(struct store *store, int file)
{
    struct log_file *known = by_number(store, file);

    if (!known)
        known = load(store, "file = ?", NULL, file);
    return known ? known->path : NULL;
}

void store_set_log_bookmark(struct store *store, int file, const char *bookmark)
{
    struct log_file *known = by_number(store, file);

    if (!known || strcmp(known->bookmark, bookmark) == 0)
        return;
    snprintf(known->bookmark, sizeof known->bookmark, "%s", bookmark);
    known->dirty = true;
}

const char *store_log_bookmark(struct store *store, int file)
{
    const struct log_file *known = by_number(store, file);

    return known && known->bookmark[0] ? known->bookmark : NULL;
}

void store_set_log_format(struct store *store, int file, const char *format)
{
    struct log_file *known = by_number(store, file);
    const char *text = format ? format : "";

    if (!known || strcmp(known->format, text) == 0 || strlen(text) >= sizeof known->format)
        return;
    snprintf(known->format, sizeof known->format, "%s", text);
    known->dirty = true;
}

const char *store_log_format(struct store *store, int file)
{
    const struct log_file *known = by_number(store, file);

    if (!known)
        known = load(store, "file = ?", NULL, file);
    return known && known->format[0] ? known->format : NULL;
}

static int write_bookmark(struct store *store, const struct log_file *known)
{
    char *sql = sqlite3_mprintf("UPDATE log_file SET bookmark = %Q, format = %Q WHERE file = %d",
                                known->bookmark[0] ? known->bookmark : NULL,
                                known->format[0] ? known->format : NULL, known->file);
    int r = sql ? database_run(store->db, sql) : -ENOMEM;

    sqlite3_free(sql);
    return r;
}

int store_write_bookmarks(struct store *store)
{
    int r = 0;

    for (int i = 0; r == 0 && i < store->log_file_count; i++)
        if (store->log_files[i].dirty)
            r = write_bookmark(store, &store->log_files[i]);
    return r;
}

void store_forget_bookmarks(struct store *store)
{
    for (int i = 0; i < store->log_file_count; i++)
        store->log_files[i].dirty = false;
}
