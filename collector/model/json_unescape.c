/* json_unescape.c - see json_unescape.h. */
#include "model/json_unescape.h"

#include <string.h>

#include "base/utf8.h"

int json_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hex digits at `at`, or -1. */
static long hex4(const char *at, const char *end)
{
    long value = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int digit = json_hex_digit(at[i]);

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* What follows "\u" at *at: one code point, of a surrogate pair if need be; -1 when it is none. */
static long take_code_point(const char **at, const char *end)
{
    long code = hex4(*at, end);

    if (code < 0)
        return -1;
    *at += 4;
    if (code < 0xd800 || code > 0xdfff)
        return code;
    if (code < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        const long low = hex4(*at + 2, end);

        if (low >= 0xdc00 && low <= 0xdfff) {
            *at += 6;
            return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd; /* half a pair means nothing: the replacement character says so */
}

static char plain_escape(char c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = c ? strchr(from, c) : NULL;

    return found ? to[found - from] : '\0';
}

bool json_unescape(struct slice raw, char *room, struct slice *ret_text)
{
    const char *const end = raw.ptr + raw.len_bytes;
    char *out = room;

    for (const char *at = raw.ptr; at < end;) {
        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        at++; /* the caller saw a byte after every backslash */
        if (*at == 'u') {
            at++;
            const long code = take_code_point(&at, end);

            if (code < 0)
                return false;
            out = utf8_put(out, (uint32_t) code);
        } else {
            const char c = plain_escape(*at++);

            if (!c)
                return false;
            *out++ = c;
        }
    }
    *ret_text = (struct slice){.ptr = room, .len_bytes = (size_t) (out - room)};
    return true;
}
