/*
 * statements.h - the INSERT for a row of a given table and mask of columns, prepared once.
 *
 * A kind of event comes with the same few keys again and again, so a small cache hits nearly
 * always.  A column that a table lacks is added on the way.
 */
#ifndef FPMSCOPE_STORE_STATEMENTS_H
#define FPMSCOPE_STORE_STATEMENTS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "store/tables.h"

enum { STATEMENTS_MAX = 64 };

struct statements {
    sqlite3 *db;
    struct {
        sqlite3_stmt *insert;
        unsigned table;
        uint64_t mask;
    } slots[STATEMENTS_MAX];
    int count;
    uint64_t columns[TABLE_COUNT]; /* that each table has */
    bool columns_known[TABLE_COUNT];
};

void statements_init(struct statements *statements, sqlite3 *db);

/* Finalize all and forget what is known about columns: after a rollback, and at the end. */
void statements_reset(struct statements *statements);

/* The columns that `table` has now. */
int statements_columns(struct statements *statements, unsigned table, uint64_t *ret_mask);

/* INSERT OR IGNORE (a stack: REPLACE) with parameter 1 the key and then the columns of `mask` in
 * order. */
int statements_insert(struct statements *statements, unsigned table, uint64_t mask,
                      sqlite3_stmt **ret_insert);

#endif
