/*
 * journal_text.c - entries of `journalctl -o json` and `-o export`, handed on as a line.
 *
 *     {"__REALTIME_TIMESTAMP":"1795348800067615","MESSAGE":"...","_TRANSPORT":"kernel",...}
 *
 *     __CURSOR=s=...                       export: the fields of an entry, one a line,
 *     __REALTIME_TIMESTAMP=1795348800067615
 *     MESSAGE=...                          an empty line ends it
 *
 * A text that is not printable is an array of numbers in JSON, a field that an entry has several
 * times an array of texts.  In an export the name of what is not printable stands alone and eight
 * bytes of length and the bytes follow: such a value is read up to its first newline.
 */
#include "logs/journal_entry.h"
#include "logs/parsers.h"
#include "logs/records.h"
#include "logs/scan.h"
#include "logs/unescape.h"

enum {
    LENGTH_BYTES = 8,
    FIELDS_MAX = 256, /* of an entry; the rest is not looked at */
};

/* What the parsers behind need for their own unescaping stays free. */
static bool parse_as_line(const struct journal_entry *entry, const struct log_context *context,
                          struct log_event *ret_event)
{
    const struct log_scratch *scratch = context->scratch;
    const size_t size_bytes = scratch ? (scratch->size_bytes - scratch->used_bytes) / 2 : 0;
    char *room = size_bytes > 0 ? log_scratch_take(context->scratch, size_bytes) : NULL;
    struct slice line = room ? journal_entry_line(entry, room, size_bytes) : (struct slice){0};

    if (line.len_bytes > 0 && system_log_parse(line, context, ret_event))
        return true;
    /* Somebody else's words: nothing to learn, and nothing wrong with the log. */
    log_event_init(ret_event, LOG_KERNEL);
    ret_event->time_us = entry->time_us;
    ret_event->time_precision_us = entry->time_us < 0 ? -1 : 1;
    ret_event->zone_known = true;
    return true;
}

/* ---- JSON ------------------------------------------------------------------------------------
 */

/* [27,91,49,...]: bytes. */
static bool take_bytes(struct scan *scan, struct log_scratch *scratch, struct slice *ret_value)
{
    char *first = scratch ? scratch->ptr + scratch->used_bytes : NULL, *byte;
    size_t count = 0;
    int value;

    *ret_value = (struct slice){0};
    if (!scan_byte(scan, '['))
        return false;
    while (!scan_byte(scan, ']')) {
        scan_blanks(scan);
        if (!scan_small(scan, &value) || value < 0 || value > 255)
            return false;
        byte = log_scratch_take(scratch, 1);
        if (byte) {
            *byte = (char) value;
            count++;
        }
        scan_blanks(scan);
        (void) scan_byte(scan, ',');
    }
    *ret_value = (struct slice){.ptr = first, .len_bytes = count};
    return true;
}

/* The inside of a string, its opening quote already taken. */
static bool take_string(struct scan *scan, struct slice *ret_text)
{
    const char *at = scan->at;

    while (at < scan->end && *at != '"')
        at += *at == '\\' && at + 1 < scan->end ? 2 : 1;
    if (at == scan->end)
        return false;
    *ret_text = scan_between(scan->at, at);
    scan->at = at + 1;
    return true;
}

static bool take_one(struct scan *scan, struct log_scratch *scratch, struct slice *ret_value)
{
    *ret_value = (struct slice){0};
    if (scan_byte(scan, '"')) {
        if (!take_string(scan, ret_value))
            return false;
        *ret_value = log_unescape(scratch, *ret_value);
        return true;
    }
    return scan_text(scan, SLICE("null")) || take_bytes(scan, scratch, ret_value);
}

/* ["first","second"]: an entry may have a field several times, disks have; not the list of numbers
 * that is one value. */
static bool is_list(struct scan scan)
{
    if (!scan_byte(&scan, '['))
        return false;
    scan_blanks(&scan);
    return !scan_done(&scan) && memchr("\"[n", *scan.at, 3);
}

/* One value, or the first of several. */
static bool take_value(struct scan *scan, struct log_scratch *scratch, struct slice *ret_value)
{
    struct slice further;
    bool first = true;

    if (!is_list(*scan))
        return take_one(scan, scratch, ret_value);
    scan_byte(scan, '[');
    do {
        scan_blanks(scan);
        if (!take_one(scan, scratch, first ? ret_value : &further))
            return false;
        first = false;
        scan_blanks(scan);
    } while (scan_byte(scan, ','));
    return scan_byte(scan, ']');
}

static bool take_member(struct scan *scan, struct log_scratch *scratch, struct journal_entry *entry)
{
    struct slice name, value;

    scan_blanks(scan);
    if (!scan_byte(scan, '"') || !take_string(scan, &name))
        return false;
    scan_blanks(scan);
    if (!scan_byte(scan, ':'))
        return false;
    scan_blanks(scan);
    if (!take_value(scan, scratch, &value))
        return false;
    journal_entry_set(entry, name, value);
    scan_blanks(scan);
    return true;
}

bool journal_json_parse(struct slice record, const struct log_context *context,
                        struct log_event *ret_event)
{
    struct scan scan = scan_of(slice_trim(record));
    struct journal_entry entry;

    journal_entry_init(&entry);
    if (!scan_byte(&scan, '{') || slice_find(record, SLICE("\"__REALTIME_TIMESTAMP\"")) < 0)
        return false;
    do {
        if (!take_member(&scan, context->scratch, &entry))
            return false;
    } while (scan_byte(&scan, ','));
    return scan_byte(&scan, '}') && scan_done(&scan) && parse_as_line(&entry, context, ret_event);
}

/* ---- export ----------------------------------------------------------------------------------
 */

enum export_step {
    EXPORT_FIELD,
    EXPORT_CUT, /* the value goes on behind the record */
    EXPORT_END, /* an empty line, or nothing behind the last field */
};

/* "NAME=value", or "NAME", eight bytes of length and as many of value. */
static enum export_step next_field(struct scan *scan, struct slice *ret_name,
                                   struct slice *ret_value)
{
    struct slice line;
    uint64_t length_bytes = 0;
    ptrdiff_t equals;

    *ret_name = *ret_value = (struct slice){0};

    if (!scan_until(scan, '\n', &line)) {
        line = scan_rest(scan);
        scan->at = scan->end;
    }
    if (line.len_bytes == 0)
        return EXPORT_END;
    equals = slice_index(line, '=');
    *ret_name = slice_head(line, equals < 0 ? line.len_bytes : (size_t) equals);
    if (equals >= 0) {
        *ret_value = slice_skip(line, (size_t) equals + 1);
        return EXPORT_FIELD;
    }
    if (scan_left(scan) < LENGTH_BYTES)
        return EXPORT_CUT;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        length_bytes |= (uint64_t) (unsigned char) scan->at[i] << 8 * i;
    scan->at += LENGTH_BYTES;
    *ret_value = slice_head(scan_rest(scan), length_bytes);
    if (length_bytes >= scan_left(scan)) {
        scan->at = scan->end;
        return EXPORT_CUT;
    }
    scan->at += length_bytes + 1; /* and its newline */
    return EXPORT_FIELD;
}

bool journal_export_starts(struct slice line)
{
    return slice_starts(line, SLICE("__CURSOR="));
}

/* An empty line ends an entry, unless it lies inside a value. */
bool journal_export_complete(struct slice record)
{
    struct scan scan = scan_of(record);
    enum export_step step = EXPORT_FIELD;
    struct slice name, value;

    if (record.len_bytes == 0 || record.ptr[record.len_bytes - 1] != '\n')
        return false;
    for (int i = 0; step == EXPORT_FIELD && i < FIELDS_MAX; i++)
        step = next_field(&scan, &name, &value);
    return step != EXPORT_CUT;
}

bool journal_export_parse(struct slice record, const struct log_context *context,
                          struct log_event *ret_event)
{
    struct scan scan = scan_of(record);
    struct journal_entry entry;
    struct slice name, value;

    journal_entry_init(&entry);
    if (!journal_export_starts(record))
        return false;
    for (int i = 0; i < FIELDS_MAX && next_field(&scan, &name, &value) != EXPORT_END; i++)
        journal_entry_set(&entry, name, value);
    return parse_as_line(&entry, context, ret_event);
}
