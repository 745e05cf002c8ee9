/* event_write.c - events into JSON lines, through the same table of keys that reads them. */
#include "model/event_write.h"

#include <errno.h>
#include <inttypes.h>

#include "model/event_keys.h"
#include "model/event_parse.h"

/* A line in the making.  Overflow is remembered, not reported at each step. */
struct line {
    char *at, *end;
    bool overflow;
};

static void put_bytes(struct line *out, const char *bytes, size_t len_bytes)
{
    if ((size_t) (out->end - out->at) < len_bytes) {
        out->overflow = true;
        return;
    }
    memcpy(out->at, bytes, len_bytes);
    out->at += len_bytes;
}

static void put_string(struct line *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

/* Length of the UTF-8 sequence at `text`, 0 when it is not one (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
static size_t utf8_sequence_bytes(const uint8_t *text, size_t len_bytes)
{
    const uint8_t first = text[0];
    const size_t want = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                                       : 4;

    if (want == 0 || want > len_bytes || first > 0xf4)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
        (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
        return 0;
    return want;
}

static void put_ascii(struct line *out, char c)
{
    static const char escapes[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = c ? strchr(escapes, c) : NULL;
    char text[8];

    if (found)
        put_bytes(out, (char[]){'\\', letters[found - escapes]}, 2);
    else if ((uint8_t) c < 0x20 || c == 0x7f)
        put_bytes(out, text, (size_t) snprintf(text, sizeof text, "\\u%04x", (unsigned) c));
    else
        put_bytes(out, &c, 1);
}

/* C1 controls and what turns the direction of text: a terminal that shows a line obeys them. */
static bool is_obeyed(unsigned code_point)
{
    return (code_point >= 0x80 && code_point < 0xa0) ||
           (code_point >= 0x2028 && code_point <= 0x202e) ||
           (code_point >= 0x2066 && code_point <= 0x2069);
}

/* A character of two to four bytes, as they are or, when it is obeyed, by its number. */
static void put_wide(struct line *out, const char *at, size_t bytes)
{
    const uint8_t *byte = (const uint8_t *) at;
    const unsigned code_point =
        bytes == 2   ? (byte[0] & 0x1fu) << 6 | (byte[1] & 0x3fu)
        : bytes == 3 ? (byte[0] & 0x0fu) << 12 | (byte[1] & 0x3fu) << 6 | (byte[2] & 0x3fu)
                     : 0;
    char text[8];

    if (is_obeyed(code_point))
        put_bytes(out, text, (size_t) snprintf(text, sizeof text, "\\u%04x", code_point));
    else
        put_bytes(out, at, bytes);
}

static void put_text(struct line *out, struct slice text)
{
    put_string(out, "\"");
    for (size_t i = 0; i < text.len_bytes;) {
        const size_t bytes =
            utf8_sequence_bytes((const uint8_t *) text.ptr + i, text.len_bytes - i);

        if (bytes == 0)
            put_string(out, "\xef\xbf\xbd"); /* U+FFFD */
        else if (bytes == 1)
            put_ascii(out, text.ptr[i]);
        else
            put_wide(out, text.ptr + i, bytes);
        i += bytes > 0 ? bytes : 1;
    }
    put_string(out, "\"");
}

static void put_list(struct line *out, const struct event_list *list)
{
    put_string(out, "[");
    for (size_t i = 0; list && i < list->count; i++) {
        if (i > 0)
            put_string(out, ",");
        put_text(out, list->items[i]);
    }
    put_string(out, "]");
}

static void put_number(struct line *out, int64_t value)
{
    char text[24];

    put_bytes(out, text, (size_t) snprintf(text, sizeof text, "%" PRId64, value));
}

static void put_address(struct line *out, uint64_t value)
{
    char text[24];

    if (value == 0)
        snprintf(text, sizeof text, "\"(nil)\"");
    else
        snprintf(text, sizeof text, "\"0x%" PRIx64 "\"", value);
    put_string(out, text);
}

/* "re" is 0 or 1 since version 1, and a kill's "master" is true or false though an exit's is a pid.
 */
static enum event_type written_type(const struct event *event, size_t key)
{
    if (key == EVENT_HAS_realloced)
        return EVENT_TYPE_NUMBER;
    if (key == EVENT_HAS_master && event->kind == EVENT_kill)
        return EVENT_TYPE_BOOL;
    return event_key_infos[key].type;
}

/* The value of a NUMBER or BOOL field, whichever of them it is. */
static int64_t integer_of(const struct event_key_info *info, const char *field)
{
    return info->type == EVENT_TYPE_BOOL ? *(const bool *) field
                                         : *(const int64_t *) (const void *) field;
}

static void put_value(struct line *out, const struct event *event, size_t key)
{
    const struct event_key_info *info = &event_key_infos[key];
    const char *field = (const char *) event + info->offset_bytes;

    switch (written_type(event, key)) {
    case EVENT_TYPE_NUMBER:
        put_number(out, integer_of(info, field));
        break;
    case EVENT_TYPE_BOOL:
        put_string(out, integer_of(info, field) ? "true" : "false");
        break;
    case EVENT_TYPE_ADDRESS:
        put_address(out, *(const uint64_t *) (const void *) field);
        break;
    case EVENT_TYPE_TEXT:
        put_text(out, *(const struct slice *) (const void *) field);
        break;
    case EVENT_TYPE_LIST:
        put_list(out, *(const struct event_list *const *) (const void *) field);
        break;
    }
}

int event_format(const struct event *event, size_t capacity_bytes, char *line,
                 size_t *ret_len_bytes)
{
    struct line out = {.at = line, .end = line + capacity_bytes};
    const char *kind = event_kind_name(event->kind);

    if (!kind)
        return -EINVAL;
    put_string(&out, "{\"e\":\"");
    put_string(&out, kind);
    put_string(&out, "\"");
    for (size_t key = 0; key < EVENT_KEY_COUNT; key++) {
        if (!event_has(event, (enum event_key) key))
            continue;
        put_string(&out, ",\"");
        put_string(&out, event_key_infos[key].json);
        put_string(&out, "\":");
        put_value(&out, event, key);
    }
    put_string(&out, "}\n");
    if (out.overflow)
        return -EMSGSIZE;
    *ret_len_bytes = (size_t) (out.at - line);
    return 0;
}

int event_write(const struct event *event, FILE *out)
{
    char line[EVENT_LINE_MAX_BYTES];
    size_t len_bytes;
    const int r = event_format(event, sizeof line, line, &len_bytes);

    if (r < 0)
        return r;
    return fwrite(line, 1, len_bytes, out) == len_bytes ? 0 : -EIO;
}
