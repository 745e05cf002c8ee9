/* facts.c - a few named values about the store as a whole. */
#include <errno.h>
#include <stdio.h>

#include "store/database.h"
#include "store/store_internal.h"

static struct fact *find_or_add(struct store *store, const char *name)
{
    for (int i = 0; i < store->fact_count; i++)
        if (strcmp(store->facts[i].name, name) == 0)
            return &store->facts[i];
    if (store->fact_count == STORE_FACTS_MAX)
        return NULL;
    struct fact *fact = &store->facts[store->fact_count++];
    snprintf(fact->name, sizeof fact->name, "%s", name);
    return fact;
}

void store_put_fact(struct store *store, const char *name, struct slice value)
{
    struct fact *fact = find_or_add(store, name);

    if (!fact)
        return;
    snprintf(fact->value, sizeof fact->value, "%.*s", (int) value.len_bytes,
             value.len_bytes > 0 ? value.ptr : "");
    fact->dirty = true;
}

static int write_fact(struct store *store, const struct fact *fact)
{
    char *sql = sqlite3_mprintf("INSERT INTO fact VALUES(%Q, %Q)"
                                " ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                                fact->name, fact->value);
    int r = sql ? database_run(store->db, sql) : -ENOMEM;

    sqlite3_free(sql);
    return r;
}

int store_write_facts(struct store *store)
{
    int r = 0;

    for (int i = 0; r == 0 && i < store->fact_count; i++)
        if (store->facts[i].dirty)
            r = write_fact(store, &store->facts[i]);
    return r;
}

void store_forget_facts(struct store *store)
{
    for (int i = 0; i < store->fact_count; i++)
        store->facts[i].dirty = false;
}

bool store_fact(struct store *store, const char *name, char *ret_value, size_t size_bytes)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;

    if (database_prepare(store->db, "SELECT value FROM fact WHERE name = ?", &statement) < 0)
        return false;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *value = (const char *) sqlite3_column_text(statement, 0);

        snprintf(ret_value, size_bytes, "%s", value ? value : "");
        found = true;
    }
    sqlite3_finalize(statement);
    return found;
}
