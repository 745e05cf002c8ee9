/*
 * utf8.h - is the next character of hostile text something that a terminal and a JSON reader can
 * be given?  (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.)  And how one is
 * written.
 */
#ifndef FPMSCOPE_BASE_UTF8_H
#define FPMSCOPE_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Length of the sequence that this byte begins, 0 when it cannot begin one. */
static inline size_t utf8_length(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/*
 * Bytes of the first character of `text`, or 0 when it is a control character (C0, DEL, C1),
 * cut off, or not UTF-8 at all.
 */
static inline size_t utf8_printable(struct slice text)
{
    static const uint32_t smallest[] = {0, 0, 0xa0, 0x800, 0x10000};
    const size_t n = text.len_bytes > 0 ? utf8_length((uint8_t) text.ptr[0]) : 0;
    uint32_t code;

    if (n == 0 || n > text.len_bytes)
        return 0;
    if (n == 1)
        return text.ptr[0] >= 0x20 && text.ptr[0] != 0x7f ? 1 : 0;
    code = (uint8_t) text.ptr[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (((uint8_t) text.ptr[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((uint8_t) text.ptr[i] & 0x3f);
    }
    if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return n;
}

/* Write one character, at most four bytes; returns the place behind it. */
static inline char *utf8_put(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char) code;
    } else if (code < 0x800) {
        *out++ = (char) (0xc0 | code >> 6);
        *out++ = (char) (0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char) (0xe0 | code >> 12);
        *out++ = (char) (0x80 | (code >> 6 & 0x3f));
        *out++ = (char) (0x80 | (code & 0x3f));
    } else {
        *out++ = (char) (0xf0 | code >> 18);
        *out++ = (char) (0x80 | (code >> 12 & 0x3f));
        *out++ = (char) (0x80 | (code >> 6 & 0x3f));
        *out++ = (char) (0x80 | (code & 0x3f));
    }
    return out;
}

#endif
