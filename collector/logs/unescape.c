/* unescape.c - \xNN, \uNNNN and the short escapes back to bytes. */
#include "logs/unescape.h"

#include "base/utf8.h"
#include "logs/scan.h"

char *log_scratch_take(struct log_scratch *scratch, size_t size_bytes)
{
    char *ptr;

    if (!scratch || size_bytes > scratch->size_bytes - scratch->used_bytes)
        return NULL;
    ptr = scratch->ptr + scratch->used_bytes;
    scratch->used_bytes += size_bytes;
    return ptr;
}

/* Exactly `count` hexadecimal digits. */
static bool take_hex(struct scan *scan, size_t count, unsigned *ret_value)
{
    unsigned value = 0;

    if (scan_left(scan) < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        int digit = scan_hex_digit(scan->at[i]);

        if (digit < 0)
            return false;
        value = value << 4 | (unsigned) digit;
    }
    scan->at += count;
    *ret_value = value;
    return true;
}

/* Behind \u: four digits, or a pair of surrogates (twelve bytes of text make four of UTF-8). */
static bool take_unicode(struct scan *scan, unsigned *ret_code)
{
    struct scan ahead = *scan;
    unsigned high, low;

    if (!take_hex(&ahead, 4, &high))
        return false;
    *scan = ahead;
    *ret_code = high;
    if ((high & 0xfc00) == 0xd800 && scan_text(&ahead, SLICE("\\u")) && take_hex(&ahead, 4, &low) &&
        (low & 0xfc00) == 0xdc00) {
        *scan = ahead;
        *ret_code = 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff));
    }
    return true;
}

/* One escape, its backslash already taken; false: unknown. */
static bool put_escape(struct scan *scan, char **out)
{
    static const char from[] = "\"\\/nrtbf", to[] = "\"\\/\n\r\t\b\f";
    struct scan ahead = *scan;
    char kind = scan_peek(scan);
    const char *hit = kind ? memchr(from, kind, sizeof from - 1) : NULL;
    unsigned code;

    if (hit) {
        *(*out)++ = to[hit - from];
        scan->at++;
        return true;
    }
    if (scan_byte(&ahead, 'x') && take_hex(&ahead, 2, &code)) {
        *(*out)++ = (char) code;
    } else if (scan_byte(&ahead, 'u') && take_unicode(&ahead, &code)) {
        *out = utf8_put(*out, code);
    } else {
        return false;
    }
    *scan = ahead;
    return true;
}

struct slice log_unescape(struct log_scratch *scratch, struct slice text)
{
    struct scan scan = scan_of(text);
    char *first, *out;

    if (slice_index(text, '\\') < 0)
        return text;
    first = log_scratch_take(scratch, text.len_bytes);
    if (!first)
        return text;
    out = first;
    while (!scan_done(&scan)) {
        char byte = *scan.at++;

        if (byte != '\\' || !put_escape(&scan, &out))
            *out++ = byte;
    }
    return (struct slice){.ptr = first, .len_bytes = (size_t) (out - first)};
}
