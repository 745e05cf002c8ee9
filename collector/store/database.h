/* database.h - SQLite's answers in our words: negative errno values, and a sentence. */
#ifndef FPMSCOPE_STORE_DATABASE_H
#define FPMSCOPE_STORE_DATABASE_H

#include <stdint.h>

#include <sqlite3.h>

/* SQLITE_OK, _ROW and _DONE are 0; _FULL is -ENOSPC, _BUSY -EAGAIN, _CORRUPT -EBADMSG, ... */
int database_errno(int sqlite_result);

/* Run statements that give no rows. */
int database_run(sqlite3 *db, const char *sql);

/* The first column of the first row; -ENOENT when there is none. */
int database_number(sqlite3 *db, const char *sql, int64_t *ret_number);

/* Prepare a statement that is kept for the life of the connection. */
int database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement);

#endif
