/*
 * event_parse.c - a scanner for flat JSON objects that knows its keys.
 *
 * One pass, no tree, no allocation: a cursor walks the line, each known key's value is written to
 * its place in the event (event_keys.h), everything else is stepped over.  Text without a backslash
 * stays where it is; escaped text is unescaped into the parser's own buffer, which is as long as
 * the longest line and therefore never too small: an escape is longer than what it means.
 */
#include "model/event_parse.h"

#include <errno.h>
#include <stdlib.h>

#include "model/event_keys.h"
#include "model/json_unescape.h"

struct event_parser {
    struct event_names names;
    struct event_list lists[2]; /* "nat" and "php" of the current line */
    size_t lists_used;
    size_t text_used_bytes;
    char text[EVENT_LINE_MAX_BYTES];
};

struct cursor {
    const char *at, *end;
};

struct event_parser *event_parser_new(void)
{
    struct event_parser *parser = calloc(1, sizeof *parser);

    if (parser)
        event_names_init(&parser->names);
    return parser;
}

void event_parser_free(struct event_parser *parser)
{
    free(parser);
}

static void skip_space(struct cursor *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\t' || *in->at == '\r' || *in->at == '\n'))
        in->at++;
}

/* Step over `byte` and the white space around it; false when something else is there. */
static bool take(struct cursor *in, char byte)
{
    skip_space(in);
    if (in->at == in->end || *in->at != byte)
        return false;
    in->at++;
    skip_space(in);
    return true;
}

/* The raw bytes between quotes; *ret_escaped tells whether they need unescaping. */
static bool take_quoted(struct cursor *in, struct slice *ret_raw, bool *ret_escaped)
{
    const char *start = in->at + 1;
    bool escaped = false;

    if (in->at == in->end || *in->at != '"')
        return false;
    for (const char *at = start; at < in->end; at++) {
        if (*at == '"') {
            *ret_raw = (struct slice){.ptr = start, .len_bytes = (size_t) (at - start)};
            *ret_escaped = escaped;
            in->at = at + 1;
            return true;
        }
        if ((uint8_t) *at < 0x20)
            return false;
        if (*at == '\\') {
            escaped = true;
            at++;
        }
    }
    return false;
}

/* Rare: not inlined, so that the rest is. */
static __attribute__((noinline)) bool unescape(struct event_parser *parser, struct slice raw,
                                               struct slice *ret_text)
{
    if (!json_unescape(raw, parser->text + parser->text_used_bytes, ret_text))
        return false;
    parser->text_used_bytes += ret_text->len_bytes;
    return true;
}

static bool take_text(struct event_parser *parser, struct cursor *in, struct slice *ret_text)
{
    struct slice raw;
    bool escaped;

    if (!take_quoted(in, &raw, &escaped))
        return false;
    if (escaped)
        return unescape(parser, raw, ret_text);
    *ret_text = raw;
    return true;
}

static bool is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* A number, true, false or null. */
static bool take_bare(struct cursor *in, struct slice *ret_bare)
{
    static const struct slice words[] = {
        {.ptr = "true", .len_bytes = 4},
        {.ptr = "false", .len_bytes = 5},
        {.ptr = "null", .len_bytes = 4},
    };
    const char *start = in->at;
    const struct slice rest = {.ptr = start, .len_bytes = (size_t) (in->end - start)};

    if (start < in->end && (*start == '-' || (*start >= '0' && *start <= '9'))) {
        while (in->at < in->end && is_number_byte(*in->at))
            in->at++;
        *ret_bare = slice_head(rest, (size_t) (in->at - start));
        return ret_bare->len_bytes > (*start == '-');
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (slice_starts(rest, words[i])) {
            in->at += words[i].len_bytes;
            *ret_bare = words[i];
            return true;
        }
    }
    return false;
}

/* Step over an array or object, whatever is in it. */
static bool skip_nested(struct cursor *in)
{
    size_t depth = 0;

    while (in->at < in->end) {
        struct slice raw;
        bool escaped;

        if (*in->at == '"') {
            if (!take_quoted(in, &raw, &escaped))
                return false;
            continue;
        }
        if (*in->at == '[' || *in->at == '{')
            depth++;
        else if (*in->at == ']' || *in->at == '}')
            depth--;
        in->at++;
        if (depth == 0)
            return true;
    }
    return false;
}

static bool skip_value(struct cursor *in)
{
    struct slice ignored;
    bool escaped;

    if (in->at == in->end)
        return false;
    if (*in->at == '"')
        return take_quoted(in, &ignored, &escaped);
    if (*in->at == '[' || *in->at == '{')
        return skip_nested(in);
    return take_bare(in, &ignored);
}

/* "1.5e3" and other rare spellings; the text is copied because strtod() wants an end. */
static int64_t slow_number(struct slice text)
{
    char copy[64];
    double value;

    if (text.len_bytes >= sizeof copy)
        return text.ptr[0] == '-' ? INT64_MIN : INT64_MAX;
    memcpy(copy, text.ptr, text.len_bytes);
    copy[text.len_bytes] = '\0';
    value = strtod(copy, NULL);
    if (value >= 9223372036854775807.0)
        return INT64_MAX;
    if (value <= -9223372036854775808.0)
        return INT64_MIN;
    return (int64_t) value;
}

/* False when the text is not a number at all: true, false, null. */
static bool read_number(struct slice text, int64_t *ret_value)
{
    const bool negative = text.ptr[0] == '-';
    uint64_t value = 0;

    if (slice_equal(text, SLICE("null")))
        return false;
    if (text.ptr[0] == 't' || text.ptr[0] == 'f') {
        *ret_value = text.ptr[0] == 't';
        return true;
    }
    if (text.len_bytes - negative > 18) {
        *ret_value = slow_number(text);
        return true;
    }
    for (size_t i = negative; i < text.len_bytes; i++) {
        const unsigned digit = (unsigned) (uint8_t) text.ptr[i] - '0';

        if (digit > 9) {
            *ret_value = slow_number(text);
            return true;
        }
        value = value * 10 + digit;
    }
    *ret_value = negative ? -(int64_t) value : (int64_t) value;
    return true;
}

static uint64_t read_address(struct slice text)
{
    uint64_t value = 0;

    if (!slice_starts(text, SLICE("0x")))
        return 0; /* "(nil)" */
    for (size_t i = 2; i < text.len_bytes && i < 18; i++) {
        const int digit = json_hex_digit(text.ptr[i]);

        if (digit < 0)
            break;
        value = value << 4 | (unsigned) digit;
    }
    return value;
}

/* An array of strings; elements of other types are skipped, frames beyond the limit are cut. */
static bool take_list(struct event_parser *parser, struct cursor *in,
                      const struct event_list **ret_list)
{
    struct event_list *list = &parser->lists[parser->lists_used & 1];

    parser->lists_used++;
    list->count = 0;
    *ret_list = list;
    if (!take(in, '['))
        return false;
    if (take(in, ']'))
        return true;
    do {
        if (in->at < in->end && *in->at == '"') {
            struct slice text;

            if (!take_text(parser, in, &text))
                return false;
            if (list->count < EVENT_FRAMES_MAX)
                list->items[list->count++] = text;
        } else if (!skip_value(in)) {
            return false;
        }
    } while (take(in, ','));
    return take(in, ']');
}

static void store_bare(struct slice bare, enum event_type type, char *field, bool *ret_known)
{
    int64_t number;

    if (!read_number(bare, &number))
        return;
    *ret_known = true;
    if (type == EVENT_TYPE_NUMBER)
        *(int64_t *) (void *) field = number;
    else if (type == EVENT_TYPE_ADDRESS)
        *(uint64_t *) (void *) field = (uint64_t) number;
    else if (type == EVENT_TYPE_BOOL)
        *(bool *) field = number != 0;
    else
        *ret_known = false;
    if (type == EVENT_TYPE_TEXT) { /* "port":8080 */
        *(struct slice *) (void *) field = bare;
        *ret_known = true;
    }
}

/* The value of a known key.  A value of a type that the key cannot have means "not known". */
static bool take_value(struct event_parser *parser, struct cursor *in, enum event_type type,
                       char *field, bool *ret_known)
{
    struct slice text;

    *ret_known = false;
    if (in->at == in->end)
        return false;
    if (*in->at == '"') {
        if (!take_text(parser, in, &text))
            return false;
        *ret_known = type == EVENT_TYPE_TEXT || type == EVENT_TYPE_ADDRESS;
        if (type == EVENT_TYPE_TEXT)
            *(struct slice *) (void *) field = text;
        else if (type == EVENT_TYPE_ADDRESS)
            *(uint64_t *) (void *) field = read_address(text);
        return true;
    }
    if (*in->at == '[' && type == EVENT_TYPE_LIST) {
        *ret_known = true;
        return take_list(parser, in, (const struct event_list **) (void *) field);
    }
    if (*in->at == '[' || *in->at == '{')
        return skip_nested(in);
    if (!take_bare(in, &text))
        return false;
    store_bare(text, type, field, ret_known);
    return true;
}

/* One "key":value; `e` goes to *kind: -1 while not seen, EVENT_KIND_COUNT for an unknown one. */
static bool take_member(struct event_parser *parser, struct cursor *in, struct event *event,
                        int *kind)
{
    struct slice name, text;
    bool known;
    int key;

    if (!take_text(parser, in, &name) || !take(in, ':'))
        return false;
    if (slice_equal(name, SLICE("e"))) {
        if (in->at == in->end || *in->at != '"' || !take_text(parser, in, &text))
            return false;
        *kind = event_names_kind(&parser->names, text);
        if (*kind < 0)
            *kind = EVENT_KIND_COUNT;
        return true;
    }
    key = event_names_key(&parser->names, name);
    if (key < 0)
        return skip_value(in);

    const struct event_key_info *info = &event_key_infos[key];

    if (!take_value(parser, in, info->type, (char *) event + info->offset_bytes, &known))
        return false;
    if (known)
        event->has |= UINT64_C(1) << key;
    return true;
}

/* In a crash "ip" is the program counter, everywhere else it is a client's address. */
static void move_crash_ip(struct event *event)
{
    if (event->kind != EVENT_crash || !event_has(event, EVENT_HAS_ip))
        return;
    event->crash_ip = read_address(event->ip);
    event->ip = (struct slice){0};
    event->has &= ~(UINT64_C(1) << EVENT_HAS_ip);
    event->has |= UINT64_C(1) << EVENT_HAS_crash_ip;
}

int event_parse(struct event_parser *parser, struct slice line, struct event *ret_event)
{
    struct cursor in = {.at = line.ptr, .end = line.ptr + line.len_bytes};
    int kind = -1;

    if (line.len_bytes > EVENT_LINE_MAX_BYTES)
        return -EMSGSIZE;
    skip_space(&in);
    if (in.at == in.end)
        return -ENOMSG;
    parser->text_used_bytes = 0;
    parser->lists_used = 0;
    *ret_event = (struct event){0};
    if (!take(&in, '{'))
        return -EBADMSG;
    do {
        if (!take_member(parser, &in, ret_event, &kind))
            return -EBADMSG;
    } while (take(&in, ','));
    if (!take(&in, '}') || in.at != in.end || kind < 0)
        return -EBADMSG;
    if (kind == EVENT_KIND_COUNT)
        return -ENOMSG;
    ret_event->kind = (enum event_kind) kind;
    move_crash_ip(ret_event);
    return 0;
}
