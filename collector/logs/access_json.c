/*
 * access_json.c - access lines that are JSON objects.  A scanner for what nginx writes, not a JSON
 * library: it looks at each byte once, does not mind broken UTF-8 or \xNN, and keeps the values
 * that access_fields.def knows by name.  Nested objects are entered; their names are taken alone.
 */
#include "logs/access_draft.h"
#include "logs/parsers.h"
#include "logs/scan.h"

enum { DEPTH_MAX = 8 };

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

/* A quote is part of the string when an odd number of backslashes stands before it. */
static bool is_escaped(const char *first, const char *quote)
{
    const char *at = quote;

    while (at > first && at[-1] == '\\')
        at--;
    return (quote - at) % 2 == 1;
}

/* The inside of a string, its opening quote already taken; moves behind the closing one. */
static bool take_string(struct scan *scan, struct slice *ret_text)
{
    const char *first = scan->at;

    for (const char *at = first; at < scan->end; at++) {
        at = memchr(at, '"', (size_t) (scan->end - at));
        if (!at)
            return false;
        if (!is_escaped(first, at)) {
            *ret_text = scan_between(first, at);
            scan->at = at + 1;
            return true;
        }
    }
    return false;
}

/* A number, true, false or null: as it stands, null as nothing. */
static bool take_literal(struct scan *scan, struct slice *ret_text)
{
    const char *first = scan->at;

    while (scan->at < scan->end && *scan->at != ',' && *scan->at != '}' && *scan->at != ']' &&
           *scan->at != ' ')
        scan->at++;
    *ret_text = scan_between(first, scan->at);
    if (slice_equal(*ret_text, SLICE("null")))
        ret_text->len_bytes = 0;
    return scan->at > first;
}

/* An array is stepped over: nothing that we know by name is one. */
static bool skip_array(struct scan *scan)
{
    struct slice ignored;
    int depth = 0;

    while (scan->at < scan->end) {
        char byte = *scan->at++;

        if (byte == '"' && !take_string(scan, &ignored))
            return false;
        depth += byte == '[' || byte == '{';
        depth -= byte == ']' || byte == '}';
        if (depth == 0)
            return true;
    }
    return false;
}

/* Behind a value: step out of as many objects as end here. */
static bool step_out(struct scan *scan, int *depth)
{
    skip_space(scan);
    while (*depth > 0 && scan_byte(scan, '}')) {
        --*depth;
        skip_space(scan);
    }
    return *depth == 0 || scan_byte(scan, ',');
}

/* One "name": value; a value that is an object is entered. */
static bool take_member(struct scan *scan, int *depth, struct access_draft *draft)
{
    struct slice name, value;

    skip_space(scan);
    if (!scan_byte(scan, '"') || !take_string(scan, &name))
        return false;
    skip_space(scan);
    if (!scan_byte(scan, ':'))
        return false;
    skip_space(scan);
    if (scan_byte(scan, '"')) {
        if (!take_string(scan, &value))
            return false;
        access_draft_set(draft, access_name_find(draft->context->names, name), value);
    } else if (scan_peek(scan) == '{') {
        scan->at++;
        if (++*depth > DEPTH_MAX)
            return false;
        skip_space(scan);
        return scan_peek(scan) != '}' || step_out(scan, depth);
    } else if (scan_peek(scan) == '[') {
        if (!skip_array(scan))
            return false;
    } else {
        if (!take_literal(scan, &value))
            return false;
        access_draft_set(draft, access_name_find(draft->context->names, name), value);
    }
    return step_out(scan, depth);
}

bool access_json_parse(struct slice record, const struct log_context *context,
                       struct log_event *ret_event)
{
    struct scan scan = scan_of(record);
    struct access_draft draft;
    int depth = 1;

    skip_space(&scan);
    if (!scan_byte(&scan, '{'))
        return false;
    access_draft_init(&draft, context, ret_event, true);
    while (depth > 0) {
        if (!take_member(&scan, &depth, &draft))
            return false;
    }
    return access_draft_finish(&draft);
}
