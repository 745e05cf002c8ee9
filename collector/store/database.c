/* database.c - the thin edge to SQLite. */
#include "store/database.h"

#include <errno.h>
#include <stddef.h>

int database_errno(int sqlite_result)
{
    switch (sqlite_result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EAGAIN;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return -EACCES;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_TOOBIG:
        return -EMSGSIZE;
    case SQLITE_IOERR:
        return -EIO;
    default:
        return -EINVAL;
    }
}

int database_run(sqlite3 *db, const char *sql)
{
    return database_errno(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement)
{
    return database_errno(
        sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL));
}

int database_number(sqlite3 *db, const char *sql, int64_t *ret_number)
{
    sqlite3_stmt *statement = NULL;
    int r = database_prepare(db, sql, &statement);

    if (r < 0)
        return r;
    int stepped = sqlite3_step(statement);
    if (stepped == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    r = stepped == SQLITE_DONE ? -ENOENT : database_errno(stepped);
    sqlite3_finalize(statement);
    return r;
}
