/* schema.c - make the store, bring an older one up to date, refuse a newer one. */
#include "store/schema.h"

#include <errno.h>

#include "store/database.h"

/* clang-format off */
const struct schema_step schema_steps[STORE_SCHEMA_VERSION] = {
    {
        /* An event table begins with its key; it grows a column for each key that it meets. */
#define EVENT_KIND(name, doc) "CREATE TABLE event_" #name "(at INTEGER PRIMARY KEY);"
#include "model/events.def"
        "CREATE TABLE log_line(at INTEGER PRIMARY KEY, file INTEGER, format INTEGER,"
        " offset_bytes INTEGER, line TEXT);"
        "CREATE TABLE log_file(file INTEGER PRIMARY KEY, path TEXT UNIQUE,"
        " bookmark TEXT);"
        "CREATE TABLE stack_use(id INTEGER PRIMARY KEY, day INTEGER);"
        "CREATE TABLE coverage(hour INTEGER, name TEXT, detail TEXT, n INTEGER, last_us INTEGER,"
        " PRIMARY KEY(hour, name, detail)) WITHOUT ROWID;"
        "CREATE TABLE fact(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;",
        "the first release",
    },
    {
        "ALTER TABLE log_file ADD COLUMN format TEXT;",
        "log_file.format: nginx's log_format of a followed log",
    },
    {
        "CREATE TABLE IF NOT EXISTS event_hold(at INTEGER PRIMARY KEY);",
        "what stacks hold at the peak of a request",
    },
    {
        "ALTER TABLE log_line ADD COLUMN uri_hash INTEGER;",
        "log_line.uri_hash: of the URI before it was masked",
    },
};
/* clang-format on */

int schema_inspect(sqlite3 *db, int version, int *ret_found_version)
{
    int64_t application = 0, found = 0, tables = 0;
    int r = database_number(db, "PRAGMA application_id", &application);

    if (r == 0)
        r = database_number(db, "PRAGMA user_version", &found);
    if (r == 0)
        r = database_number(db, "SELECT count(*) FROM sqlite_master", &tables);
    if (r < 0)
        return r;
    *ret_found_version = (int) found;
    if (application == 0 && found == 0 && tables == 0)
        return -ENODATA;
    if (application != SCHEMA_APPLICATION_ID)
        return -EMEDIUMTYPE;
    return found == version ? 0 : found > version ? -EPROTO : -EUCLEAN;
}

static int run_step(sqlite3 *db, const struct schema_step *step, int version, int64_t now_us)
{
    char pragma[64];
    int r = database_run(db, step->sql);

    if (r < 0)
        return r;
    sqlite3_snprintf(sizeof pragma, pragma, "PRAGMA user_version = %d", version);
    r = database_run(db, pragma);
    if (r < 0)
        return r;
    char *row = sqlite3_mprintf("INSERT INTO migration VALUES(%d, %lld, %Q)", version,
                                (long long) now_us, step->what);
    r = row ? database_run(db, row) : -ENOMEM;
    sqlite3_free(row);
    return r;
}

static int run_steps(sqlite3 *db, const struct schema_step *steps, int count, int64_t now_us)
{
    int found = 0;
    /* Looked at again under the lock: another process may have been faster. */
    int r = schema_inspect(db, count, &found);

    if (r != -ENODATA && r != -EUCLEAN)
        return r;
    r = database_run(db, "CREATE TABLE IF NOT EXISTS migration(version INTEGER PRIMARY KEY,"
                         " applied_us INTEGER, what TEXT);");
    for (int i = found; r == 0 && i < count; i++)
        r = run_step(db, &steps[i], i + 1, now_us);
    return r;
}

int schema_migrate(sqlite3 *db, const struct schema_step *steps, int count, int64_t now_us)
{
    char pragma[64];
    int found = 0;
    int r = schema_inspect(db, count, &found);

    if (r != -ENODATA && r != -EUCLEAN)
        return r;
    /* Has an effect only before the first table is made. */
    if (r == -ENODATA)
        database_run(db, "PRAGMA auto_vacuum = INCREMENTAL");
    sqlite3_snprintf(sizeof pragma, pragma, "PRAGMA application_id = %d", SCHEMA_APPLICATION_ID);
    r = database_run(db, "BEGIN IMMEDIATE");
    if (r < 0)
        return r;
    r = run_steps(db, steps, count, now_us);
    if (r == 0)
        r = database_run(db, pragma);
    if (r == 0)
        r = database_run(db, "COMMIT");
    if (r < 0 && !sqlite3_get_autocommit(db))
        database_run(db, "ROLLBACK");
    return r;
}
