/* statements.c - make, keep and find the INSERTs. */
#include "store/statements.h"

#include <errno.h>
#include <string.h>

#include "store/database.h"

void statements_init(struct statements *statements, sqlite3 *db)
{
    *statements = (struct statements){.db = db};
}

static void finalize_all(struct statements *statements)
{
    for (int i = 0; i < statements->count; i++)
        sqlite3_finalize(statements->slots[i].insert);
    statements->count = 0;
}

void statements_reset(struct statements *statements)
{
    finalize_all(statements);
    memset(statements->columns_known, 0, sizeof statements->columns_known);
}

static uint64_t column_bit(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return UINT64_C(1) << i;
    return 0;
}

int statements_columns(struct statements *statements, unsigned table, uint64_t *ret_mask)
{
    sqlite3_stmt *info = NULL;
    uint64_t mask = 0;
    char sql[96];
    int stepped;

    if (statements->columns_known[table]) {
        *ret_mask = statements->columns[table];
        return 0;
    }
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA table_info(%s)", store_tables[table].name);
    int r = database_prepare(statements->db, sql, &info);
    if (r < 0)
        return r;
    while ((stepped = sqlite3_step(info)) == SQLITE_ROW)
        mask |= column_bit(&store_tables[table], (const char *) sqlite3_column_text(info, 1));
    sqlite3_finalize(info);
    if (stepped != SQLITE_DONE)
        return database_errno(stepped);
    statements->columns[table] = *ret_mask = mask;
    statements->columns_known[table] = true;
    return 0;
}

static const char *affinity(enum column_type type)
{
    return type == COLUMN_TEXT || type == COLUMN_LIST ? "TEXT" : "INTEGER";
}

static int add_columns(struct statements *statements, unsigned table, uint64_t missing)
{
    for (; missing; missing &= missing - 1) {
        int at = __builtin_ctzll(missing);
        const struct column *column = &store_tables[table].columns[at];
        char sql[160];

        sqlite3_snprintf(sizeof sql, sql, "ALTER TABLE %s ADD COLUMN \"%s\" %s",
                         store_tables[table].name, column->name, affinity(column->type));
        int r = database_run(statements->db, sql);
        if (r < 0)
            return r;
        statements->columns[table] |= UINT64_C(1) << at;
    }
    return 0;
}

static int prepare_insert(struct statements *statements, unsigned table, uint64_t mask,
                          sqlite3_stmt **ret_insert)
{
    sqlite3_str *sql = sqlite3_str_new(statements->db);

    /* A stack's key is its content; what is stored later has better names for its frames. */
    sqlite3_str_appendf(sql, "INSERT OR %s INTO %s(at", table == EVENT_stk ? "REPLACE" : "IGNORE",
                        store_tables[table].name);
    for (uint64_t left = mask; left; left &= left - 1)
        sqlite3_str_appendf(sql, ",\"%s\"",
                            store_tables[table].columns[__builtin_ctzll(left)].name);
    sqlite3_str_appendall(sql, ") VALUES(?");
    for (uint64_t left = mask; left; left &= left - 1)
        sqlite3_str_appendall(sql, ",?");
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    if (!text)
        return -ENOMEM;
    int r = database_prepare(statements->db, text, ret_insert);
    sqlite3_free(text);
    return r;
}

int statements_insert(struct statements *statements, unsigned table, uint64_t mask,
                      sqlite3_stmt **ret_insert)
{
    uint64_t have;

    for (int i = 0; i < statements->count; i++)
        if (statements->slots[i].table == table && statements->slots[i].mask == mask) {
            *ret_insert = statements->slots[i].insert;
            return 0;
        }
    int r = statements_columns(statements, table, &have);
    if (r == 0)
        r = add_columns(statements, table, mask & ~have);
    if (r < 0)
        return r;
    /* An import of odd streams: start over rather than keep an order of use. */
    if (statements->count == STATEMENTS_MAX)
        finalize_all(statements);
    r = prepare_insert(statements, table, mask, ret_insert);
    if (r < 0)
        return r;
    statements->slots[statements->count].insert = *ret_insert;
    statements->slots[statements->count].table = table;
    statements->slots[statements->count].mask = mask;
    statements->count++;
    return 0;
}
