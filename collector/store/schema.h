/*
 * schema.h - the shape of the store, by version: a list of steps, each taking the file from one
 * version to the next in a transaction.
 *
 * `PRAGMA user_version` is the version, `application_id` says that the file is ours, and the table
 * `migration` keeps when each step ran.  A step that has been released is never edited: append one.
 */
#ifndef FPMSCOPE_STORE_SCHEMA_H
#define FPMSCOPE_STORE_SCHEMA_H

#include <sqlite3.h>

#include "store/store.h"

enum { SCHEMA_APPLICATION_ID = 0x46504d53 }; /* "FPMS" */

struct schema_step {
    const char *sql;
    const char *what;
};

extern const struct schema_step schema_steps[STORE_SCHEMA_VERSION];

/*
 * 0 when the file has version `version` of ours; -ENODATA when it is empty; -EUCLEAN when it is
 * older; -EPROTO when it is newer; -EMEDIUMTYPE when it is somebody else's; -EBADMSG when it is
 * damaged; -EAGAIN when locked.
 */
int schema_inspect(sqlite3 *db, int version, int *ret_found_version);

/*
 * Run the steps that the file lacks, `count` in all; all or nothing.  What schema_inspect() says
 * when they do not fit, or the failure of a step.
 */
int schema_migrate(sqlite3 *db, const struct schema_step *steps, int count, int64_t now_us);

#endif
