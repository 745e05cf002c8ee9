/*
 * tables.h - how a struct becomes a row: the tables of the store and the columns that they may
 * have, made from model/events.def.
 *
 * All event tables share one list of possible columns; a table gets a column when the first event
 * of its kind carries that key.  So a new key in events.def needs no migration, and a row of
 * samples does not pay for the texts of requests.
 */
#ifndef FPMSCOPE_STORE_TABLES_H
#define FPMSCOPE_STORE_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

enum column_type {
    COLUMN_NUMBER,  /* int64_t */
    COLUMN_ADDRESS, /* uint64_t, stored as the same 64 bits */
    COLUMN_BOOL,
    COLUMN_INT,
    COLUMN_TEXT, /* struct slice, any bytes */
    COLUMN_LIST, /* const struct event_list *, stored as lines */
};

struct column {
    const char *name;
    enum column_type type;
    size_t offset_bytes; /* in the struct that the row is made from */
};

struct table {
    const char *name;
    const struct column *columns; /* at most 64: a row says by a mask which ones it has */
    size_t column_count;
};

/* Event kinds first, by their number; then the log lines. */
enum { TABLE_LOG_LINE = EVENT_KIND_COUNT, TABLE_COUNT };

extern const struct table store_tables[TABLE_COUNT];

/* The time of a row key, and the first and last key of a time: 1,024 rows fit in a microsecond. */
enum { TIME_KEY_BITS = 10 };

static inline int64_t time_key_first(int64_t time_us)
{
    const int64_t limit_us = INT64_MAX >> TIME_KEY_BITS;

    if (time_us < 0)
        time_us = 0;
    return (time_us < limit_us ? time_us : limit_us) << TIME_KEY_BITS;
}

static inline int64_t time_key_last(int64_t time_us)
{
    return time_key_first(time_us) | ((1 << TIME_KEY_BITS) - 1);
}

static inline int64_t time_key_us(int64_t key)
{
    return key >> TIME_KEY_BITS;
}

#endif
