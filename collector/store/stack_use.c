/*
 * stack_use.c - the last day on which each stack was used: a stack goes with the age of what used
 * it, not with its own.
 */
#include <errno.h>
#include <stdlib.h>

#include <uthash.h>

#include "store/database.h"
#include "store/store_internal.h"

enum { STACK_USES_MAX = 1 << 16 /* remembered at once */ };
static const int64_t day_us = INT64_C(24) * 3600 * 1000000;

struct stack_use {
    int64_t id, day;
    UT_hash_handle hh;
};

void store_free_stack_uses(struct store *store)
{
    struct stack_use *use, *next;

    HASH_ITER(hh, store->stack_uses, use, next)
    {
        HASH_DEL(store->stack_uses, use);
        free(use);
    }
}

static int write_use(struct store *store, int64_t id, int64_t day)
{
    char sql[200];

    sqlite3_snprintf(sizeof sql, sql,
                     "INSERT INTO stack_use VALUES(%lld, %lld)"
                     " ON CONFLICT(id) DO UPDATE SET day = max(day, excluded.day)",
                     (long long) id, (long long) day);
    return database_run(store->db, sql);
}

int store_use_stack(struct store *store, int64_t id, int64_t time_us)
{
    const int64_t day = time_us / day_us;
    struct stack_use *use;

    HASH_FIND(hh, store->stack_uses, &id, sizeof id, use);
    if (use && use->day >= day)
        return 0;
    if (!use) {
        if (HASH_COUNT(store->stack_uses) >= STACK_USES_MAX)
            store_free_stack_uses(store);
        use = calloc(1, sizeof *use);
        if (!use)
            return -ENOMEM;
        use->id = id;
        HASH_ADD(hh, store->stack_uses, id, sizeof use->id, use);
    }
    use->day = day;
    return write_use(store, id, day);
}

int store_cut_stacks(struct store *store, int64_t time_us)
{
    char sql[200];

    sqlite3_snprintf(
        sizeof sql, sql,
        "DELETE FROM event_stk WHERE at IN (SELECT id FROM stack_use WHERE day < %lld);"
        "DELETE FROM stack_use WHERE day < %lld;",
        (long long) (time_us / day_us), (long long) (time_us / day_us));
    int r = database_run(store->db, sql);
    store_free_stack_uses(store);
    return r;
}
