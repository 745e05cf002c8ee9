/*
 * read.c - events back out of the store: one cursor per kind, merged by their keys, with each
 * stack before its first use.
 */
#include <errno.h>
#include <stdlib.h>

#include <uthash.h>

#include "store/database.h"
#include "store/store_internal.h"

enum { LISTS_MAX = 2 }; /* native and PHP frames */

/* One kind's tape and the event under its head. */
struct cursor {
    sqlite3_stmt *rows;
    enum event_kind kind;
    uint64_t columns;
    int64_t key;
};

/* A row turned into an event; the lists are where its LIST keys point. */
struct row_reader {
    struct event event;
    struct event_list lists[LISTS_MAX];
    sqlite3_stmt *stack; /* kept for store_stack() */
    uint64_t stack_columns;
};

struct seen_stack {
    int64_t id;
    UT_hash_handle hh;
};

struct walk {
    struct store *store;
    struct cursor cursors[EVENT_KIND_COUNT];
    int count;
    bool wants_stacks;
    struct seen_stack *seen;
    struct row_reader reader;
    store_event_fn on_event;
    void *ctx;
};

static int prepare_select(struct store *store, unsigned table, uint64_t columns, const char *where,
                          sqlite3_stmt **ret_rows)
{
    sqlite3_str *sql = sqlite3_str_new(store->db);

    sqlite3_str_appendall(sql, "SELECT at");
    for (uint64_t left = columns; left; left &= left - 1)
        sqlite3_str_appendf(sql, ",\"%s\"",
                            store_tables[table].columns[__builtin_ctzll(left)].name);
    sqlite3_str_appendf(sql, " FROM %s WHERE %s", store_tables[table].name, where);
    char *text = sqlite3_str_finish(sql);
    if (!text)
        return -ENOMEM;
    int r = database_prepare(store->db, text, ret_rows);
    sqlite3_free(text);
    return r;
}

static void split_lines(struct slice text, struct event_list *list)
{
    list->count = 0;
    while (text.len_bytes > 0 && list->count < EVENT_FRAMES_MAX) {
        ptrdiff_t end = slice_index(text, '\n');
        size_t length = end < 0 ? text.len_bytes : (size_t) end;

        list->items[list->count++] = slice_head(text, length);
        text = slice_skip(text, length + 1);
    }
}

static struct slice text_of(sqlite3_stmt *rows, int column)
{
    /* The text first: asking for its length makes SQLite convert it. */
    const char *text = (const char *) sqlite3_column_text(rows, column);

    return (struct slice){.ptr = text,
                          .len_bytes = text ? (size_t) sqlite3_column_bytes(rows, column) : 0};
}

static void fill_field(struct row_reader *reader, const struct column *column, sqlite3_stmt *rows,
                       int at, int *list_count)
{
    void *field = (char *) &reader->event + column->offset_bytes;

    switch (column->type) {
    case COLUMN_BOOL:
        *(bool *) field = sqlite3_column_int(rows, at) != 0;
        break;
    case COLUMN_TEXT:
        *(struct slice *) field = text_of(rows, at);
        break;
    case COLUMN_LIST:
        split_lines(text_of(rows, at), &reader->lists[*list_count]);
        *(event_LIST *) field = &reader->lists[(*list_count)++];
        break;
    case COLUMN_ADDRESS:
        *(uint64_t *) field = (uint64_t) sqlite3_column_int64(rows, at);
        break;
    default:
        *(int64_t *) field = sqlite3_column_int64(rows, at);
        break;
    }
}

static const struct event *row_event(struct row_reader *reader, enum event_kind kind,
                                     uint64_t columns, sqlite3_stmt *rows)
{
    int at = 1, list_count = 0;

    memset(&reader->event, 0, sizeof reader->event);
    reader->event.kind = kind;
    for (uint64_t left = columns; left; left &= left - 1, at++) {
        int key = __builtin_ctzll(left);
        const struct column *column = &store_tables[kind].columns[key];

        if (sqlite3_column_type(rows, at) == SQLITE_NULL ||
            (column->type == COLUMN_LIST && list_count == LISTS_MAX))
            continue;
        fill_field(reader, column, rows, at, &list_count);
        reader->event.has |= UINT64_C(1) << key;
    }
    if (kind != EVENT_stk) {
        reader->event.ts_us = time_key_us(sqlite3_column_int64(rows, 0));
        reader->event.has |= UINT64_C(1) << EVENT_HAS_ts_us;
    }
    return &reader->event;
}

/* ---- stacks ----------------------------------------------------------------------------------
 */

int store_make_reader(struct store *store)
{
    store->stack_reader = calloc(1, sizeof *store->stack_reader);
    return store->stack_reader ? 0 : -ENOMEM;
}

static int prepare_stack(struct store *store, struct row_reader *reader)
{
    if (reader->stack)
        return 0;
    int r = statements_columns(&store->statements, EVENT_stk, &reader->stack_columns);
    return r < 0
               ? r
               : prepare_select(store, EVENT_stk, reader->stack_columns, "at = ?", &reader->stack);
}

static int find_stack(struct store *store, int64_t id, const struct event **ret_event)
{
    struct row_reader *reader = store->stack_reader;
    int r = prepare_stack(store, reader);

    if (r < 0)
        return r;
    sqlite3_reset(reader->stack);
    sqlite3_bind_int64(reader->stack, 1, id);
    int stepped = sqlite3_step(reader->stack);
    if (stepped == SQLITE_DONE)
        return -ENOENT;
    if (stepped != SQLITE_ROW)
        return database_errno(stepped);
    *ret_event = row_event(reader, EVENT_stk, reader->stack_columns, reader->stack);
    return 0;
}

int store_stack(struct store *store, int64_t id, struct event *ret_event)
{
    const struct event *found;
    int r = find_stack(store, id, &found);

    if (r == 0)
        *ret_event = *found;
    return r;
}

void store_free_reader(struct store *store)
{
    if (store->stack_reader)
        sqlite3_finalize(store->stack_reader->stack);
    free(store->stack_reader);
    store->stack_reader = NULL;
}

/* Columns may have been added since the statement was made. */
static void forget_stack_statement(struct store *store)
{
    if (store->stack_reader) {
        sqlite3_finalize(store->stack_reader->stack);
        store->stack_reader->stack = NULL;
    }
}

static int give_stack(struct walk *walk, int64_t id)
{
    const struct event *event;
    struct seen_stack *seen;

    HASH_FIND(hh, walk->seen, &id, sizeof id, seen);
    if (seen)
        return 0;
    seen = calloc(1, sizeof *seen);
    if (!seen)
        return -ENOMEM;
    seen->id = id;
    HASH_ADD(hh, walk->seen, id, sizeof seen->id, seen);
    int r = find_stack(walk->store, id, &event);
    if (r == -ENOENT)
        return 0;
    return r < 0 ? r : walk->on_event(walk->ctx, event);
}

/* ---- the merge -------------------------------------------------------------------------------
 */

static int advance(struct walk *walk, int at)
{
    struct cursor *cursor = &walk->cursors[at];
    int stepped = sqlite3_step(cursor->rows);

    if (stepped == SQLITE_ROW) {
        cursor->key = sqlite3_column_int64(cursor->rows, 0);
        return 0;
    }
    sqlite3_finalize(cursor->rows);
    *cursor = walk->cursors[--walk->count];
    return database_errno(stepped);
}

static int open_cursor(struct walk *walk, enum event_kind kind, const struct store_query *query)
{
    struct cursor *cursor = &walk->cursors[walk->count];

    *cursor = (struct cursor){.kind = kind};
    int r = statements_columns(&walk->store->statements, kind, &cursor->columns);
    if (r == 0)
        r = prepare_select(walk->store, kind, cursor->columns, "at BETWEEN ? AND ? ORDER BY at",
                           &cursor->rows);
    if (r < 0)
        return r;
    sqlite3_bind_int64(cursor->rows, 1, time_key_first(query->from_us));
    sqlite3_bind_int64(cursor->rows, 2, query->to_us ? time_key_last(query->to_us) : INT64_MAX);
    walk->count++;
    return advance(walk, walk->count - 1);
}

static int open_cursors(struct walk *walk, const struct store_query *query)
{
    const uint32_t kinds = query->kinds ? query->kinds : UINT32_MAX;
    int r = 0;

    walk->wants_stacks = kinds & STORE_KIND(stk);
    for (int kind = 0; r == 0 && kind < EVENT_KIND_COUNT; kind++)
        if (kind != EVENT_stk && kinds >> kind & 1)
            r = open_cursor(walk, (enum event_kind) kind, query);
    return r;
}

static int earliest(const struct walk *walk)
{
    int best = 0;

    for (int i = 1; i < walk->count; i++)
        if (walk->cursors[i].key < walk->cursors[best].key)
            best = i;
    return best;
}

static int give_next(struct walk *walk)
{
    int at = earliest(walk);
    const struct cursor *cursor = &walk->cursors[at];
    const struct event *event =
        row_event(&walk->reader, cursor->kind, cursor->columns, cursor->rows);
    int r = 0;

    if (walk->wants_stacks && event_has(event, EVENT_HAS_stk))
        r = give_stack(walk, event->stk);
    if (r == 0)
        r = walk->on_event(walk->ctx, event);
    return r ? r : advance(walk, at);
}

static void close_walk(struct walk *walk)
{
    struct seen_stack *seen, *next;

    while (walk->count > 0)
        sqlite3_finalize(walk->cursors[--walk->count].rows);
    HASH_ITER(hh, walk->seen, seen, next)
    {
        HASH_DEL(walk->seen, seen);
        free(seen);
    }
    forget_stack_statement(walk->store);
    free(walk);
}

int store_each_event(struct store *store, const struct store_query *query, store_event_fn on_event,
                     void *ctx)
{
    struct walk *walk = calloc(1, sizeof *walk);

    if (!walk)
        return -ENOMEM;
    walk->store = store;
    walk->on_event = on_event;
    walk->ctx = ctx;
    if (sqlite3_get_autocommit(store->db))
        store_flush(store);
    /* Another process may have added columns; ours are looked up again. */
    statements_reset(&store->statements);
    /* One snapshot for all tables; a walk inside a walk shares the outer one's. */
    const bool outermost = sqlite3_get_autocommit(store->db) != 0;
    int r = outermost ? database_run(store->db, "BEGIN") : 0;
    if (r == 0)
        r = open_cursors(walk, query);
    while (r == 0 && walk->count > 0)
        r = give_next(walk);
    close_walk(walk);
    if (outermost)
        database_run(store->db, "COMMIT");
    return r;
}
