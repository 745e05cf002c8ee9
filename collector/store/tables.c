/* tables.c - the tables and columns of the store, written by model/events.def. */
#include "store/tables.h"

#include "store/store.h"

#define COLUMN_OF(name, type, structure, field)                                                    \
    {                                                                                              \
        name, COLUMN_##type, offsetof(structure, field)                                            \
    }

/* In the order of enum event_key, so that an event's `has` is the mask of its row. */
static const struct column event_columns[] = {
#define EVENT_KEY(json, field, type, doc) COLUMN_OF(#field, type, struct event, field),
#include "model/events.def"
    COLUMN_OF("crash_ip", ADDRESS, struct event, crash_ip),
};
_Static_assert(sizeof event_columns / sizeof *event_columns == EVENT_KEY_COUNT,
               "a bit of `has` is a column");

static const struct column log_columns[] = {
    COLUMN_OF("file", INT, struct store_log_line, file),
    COLUMN_OF("format", INT, struct store_log_line, format),
    COLUMN_OF("offset_bytes", NUMBER, struct store_log_line, offset_bytes),
    COLUMN_OF("line", TEXT, struct store_log_line, line),
    COLUMN_OF("uri_hash", NUMBER, struct store_log_line, uri_hash),
};
enum { LOG_COLUMNS = sizeof log_columns / sizeof *log_columns };

const struct table store_tables[TABLE_COUNT] = {
#define EVENT_KIND(name, doc) [EVENT_##name] = {"event_" #name, event_columns, EVENT_KEY_COUNT},
#include "model/events.def"
    [TABLE_LOG_LINE] = {"log_line", log_columns, LOG_COLUMNS},
};
