/* append.c - events and lines into the queue, the queue into the file, a transaction at a time. */
#include <errno.h>
#include <stdio.h>

#include "store/database.h"
#include "store/store_internal.h"

/* How many keys a row tries when others took that of its time: within a quarter of a second. */
enum { KEY_TRIES_MAX = 64, KEY_TRIES_PER_DOUBLING = 4 };

static const uint64_t ts_bit = UINT64_C(1) << EVENT_HAS_ts_us;

static int push(struct store *store, unsigned table, int64_t time_us, uint64_t mask,
                const void *source)
{
    int r = row_queue_push(&store->queue, table, time_us, mask, source);

    if (r == -ENOMEM || r == -EMSGSIZE)
        store->lost_rows++;
    return r;
}

int store_append(struct store *store, const struct event *event)
{
    if ((unsigned) event->kind >= EVENT_KIND_COUNT)
        return -EINVAL;
    if (event_has(event, EVENT_HAS_ts_us))
        store->appended_us = event->ts_us;
    return push(store, event->kind, store->appended_us, event->has & ~ts_bit, event);
}

int store_append_log(struct store *store, const struct store_log_line *line)
{
    const uint64_t all = (UINT64_C(1) << store_tables[TABLE_LOG_LINE].column_count) - 1;

    return push(store, TABLE_LOG_LINE, line->time_us, all, line);
}

size_t store_pending_rows(const struct store *store)
{
    return store->queue.rows;
}

bool store_is_crowded(const struct store *store)
{
    return store->queue.tail - store->queue.head > store->queue.limit_bytes / 2;
}

static void bind_row(sqlite3_stmt *insert, struct queued_row *row)
{
    const struct column *columns = store_tables[row->table].columns;
    int parameter = 2;

    for (uint64_t left = row->mask; left; left &= left - 1, parameter++) {
        const struct column *column = &columns[__builtin_ctzll(left)];

        if (column->type == COLUMN_TEXT || column->type == COLUMN_LIST) {
            struct slice text = queued_text(row);
            /* The queue outlives the statement's step. */
            sqlite3_bind_text(insert, parameter, text.len_bytes > 0 ? text.ptr : "",
                              (int) text.len_bytes, SQLITE_STATIC);
        } else {
            sqlite3_bind_int64(insert, parameter, queued_number(row));
        }
    }
}

static int step_insert(sqlite3_stmt *insert, int64_t key)
{
    sqlite3_bind_int64(insert, 1, key);
    int stepped = sqlite3_step(insert);
    sqlite3_reset(insert);
    return stepped == SQLITE_DONE ? 0 : database_errno(stepped);
}

/*
 * Rows of one time keep their order across tables: each gets the key after the last.  Very many in
 * a row run on into the microseconds after it.
 */
static int64_t key_of(const struct store *store, int64_t time_us)
{
    return time_us == store->last_time_us ? store->last_key + 1 : time_key_first(time_us);
}

/* How far to the next try: at random and ever further, so that rows of one time do not all try the
 * same places. */
static int64_t next_distance(struct store *store, int tries)
{
    store->spread = store->spread * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return 1 +
           (int64_t) (store->spread >> 33 & ((UINT64_C(1) << tries / KEY_TRIES_PER_DOUBLING) - 1));
}

static int insert_row(struct store *store, sqlite3_stmt *insert, int64_t time_us)
{
    int64_t key = key_of(store, time_us);

    for (int tries = 0; tries < KEY_TRIES_MAX; tries++, key += next_distance(store, tries)) {
        int r = step_insert(insert, key);

        if (r < 0)
            return r;
        if (sqlite3_changes(store->db) > 0) {
            store->last_key = key;
            store->last_time_us = time_us;
            return 0;
        }
    }
    return -EEXIST;
}

/* The value that the row has in column `wanted`; only for numbers. */
static bool number_in_row(const struct queued_row *row, int wanted, int64_t *ret_number)
{
    struct queued_row walk = *row;

    if (!(row->mask >> wanted & 1))
        return false;
    for (uint64_t left = row->mask; left; left &= left - 1) {
        int at = __builtin_ctzll(left);
        enum column_type type = store_tables[row->table].columns[at].type;

        if (at == wanted) {
            *ret_number = queued_number(&walk);
            return true;
        }
        if (type == COLUMN_TEXT || type == COLUMN_LIST)
            queued_text(&walk);
        else
            queued_number(&walk);
    }
    return false;
}

/* A stack's key is its id, and it is there once. */
static int write_stack(struct store *store, sqlite3_stmt *insert, const struct queued_row *row)
{
    int64_t id;

    if (!number_in_row(row, EVENT_HAS_id, &id))
        return -EEXIST;
    int r = store_use_stack(store, id, row->time_us);
    return r < 0 ? r : step_insert(insert, id);
}

static int write_row(struct store *store, struct queued_row *row)
{
    sqlite3_stmt *insert;
    int64_t stack;
    int r = statements_insert(&store->statements, row->table, row->mask, &insert);

    if (r < 0)
        return r;
    const struct queued_row unread = *row;
    bind_row(insert, row);
    if (row->table == EVENT_stk)
        return write_stack(store, insert, &unread);
    if (row->table < EVENT_KIND_COUNT && number_in_row(&unread, EVENT_HAS_stk, &stack))
        r = store_use_stack(store, stack, row->time_us);
    return r < 0 ? r : insert_row(store, insert, row->time_us);
}

/* A failure of this row alone; the others of the batch are fine. */
static bool is_rows_own_fault(int r)
{
    return r == -EEXIST || r == -EMSGSIZE || r == -EINVAL;
}

static int write_rows(struct store *store, uint64_t *ret_lost)
{
    struct queued_row row;
    size_t pos = 0;

    while (row_queue_next(&store->queue, &pos, &row)) {
        int r = write_row(store, &row);

        if (is_rows_own_fault(r))
            (*ret_lost)++;
        else if (r < 0)
            return r;
    }
    return 0;
}

/* What the queue had to drop is said in the store itself, as soon as it can be written. */
static void report_losses(struct store *store)
{
    const int64_t dropped = (int64_t) (store->queue.dropped_rows + store->lost_rows);

    if (dropped > store->reported_dropped)
        store_add_coverage(store, "store_dropped_rows", SLICE(""),
                           (uint64_t) (dropped - store->reported_dropped));
    store->reported_dropped = dropped;
}

static int write_all(struct store *store, uint64_t *ret_lost)
{
    int r = write_rows(store, ret_lost);

    if (r == 0)
        r = store_write_bookmarks(store);
    if (r == 0)
        r = store_write_coverage(store);
    if (r == 0)
        r = store_write_facts(store);
    return r == 0 ? database_run(store->db, "COMMIT") : r;
}

static bool nothing_waits(const struct store *store)
{
    if (store->queue.rows > 0 || store->coverage_count > 0)
        return false;
    for (int i = 0; i < store->fact_count; i++)
        if (store->facts[i].dirty)
            return false;
    for (int i = 0; i < store->log_file_count; i++)
        if (store->log_files[i].dirty)
            return false;
    return true;
}

int store_flush(struct store *store)
{
    uint64_t lost = 0;

    if (!(store->flags & STORE_WRITE) || nothing_waits(store))
        return 0;
    if (!sqlite3_get_autocommit(store->db)) /* called from inside a walk */
        return -EAGAIN;
    report_losses(store);
    int r = database_run(store->db, "BEGIN IMMEDIATE");
    if (r < 0)
        return store_fail(store, r, "write to");
    r = write_all(store, &lost);
    if (r < 0) {
        store_fail(store, r, "write to");
        database_run(store->db, "ROLLBACK");
        statements_reset(&store->statements);
        store_free_stack_uses(store);
        return r;
    }
    row_queue_clear(&store->queue);
    store->lost_rows += lost;
    store_forget_coverage(store);
    store_forget_facts(store);
    store_forget_bookmarks(store);
    store->problem[0] = '\0';
    return 0;
}
