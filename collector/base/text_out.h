/*
 * text_out.h - text being written into a buffer that somebody else owns, with a ceiling.
 *
 * Whatever does not fit is left out whole (never half a character, half an escape) and remembered
 * in `cut`; writing goes on being safe afterwards and adds nothing more.  The text is always
 * NUL-terminated.  No allocation, no failure; any thread, one writer.
 */
#ifndef FPMSCOPE_BASE_TEXT_OUT_H
#define FPMSCOPE_BASE_TEXT_OUT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"
#include "base/utf8.h"

struct text_out {
    char *ptr;
    size_t size_bytes; /* of the buffer, with room for the final NUL */
    size_t len_bytes;
    bool cut; /* something did not fit; nothing is added after that */
};

/* Write into `buffer` of `size_bytes` >= 1. */
static inline struct text_out text_out_into(char *buffer, size_t size_bytes)
{
    assert(size_bytes > 0);
    buffer[0] = '\0';
    return (struct text_out){.ptr = buffer, .size_bytes = size_bytes};
}

static inline struct slice text_out_slice(const struct text_out *out)
{
    return (struct slice){.ptr = out->ptr, .len_bytes = out->len_bytes};
}

/* Add all of `text`, or nothing and set `cut`. */
static inline void text_out_add(struct text_out *out, struct slice text)
{
    if (out->cut || text.len_bytes == 0)
        return;
    if (text.len_bytes >= out->size_bytes - out->len_bytes) {
        out->cut = true;
        return;
    }
    memcpy(out->ptr + out->len_bytes, text.ptr, text.len_bytes);
    out->len_bytes += text.len_bytes;
    out->ptr[out->len_bytes] = '\0';
}

static inline void text_out_byte(struct text_out *out, char byte)
{
    text_out_add(out, (struct slice){.ptr = &byte, .len_bytes = 1});
}

/* %XX, upper case. */
static inline void text_out_escape(struct text_out *out, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    const uint8_t b = (uint8_t) byte;
    const char text[3] = {'%', digits[b >> 4], digits[b & 15]};

    text_out_add(out, (struct slice){.ptr = text, .len_bytes = sizeof text});
}

/*
 * Add hostile text so that the result is printable UTF-8: control characters and bytes that are
 * not UTF-8 become %XX, the rest stays.  What fits of it is added.
 */
static inline void text_out_printable(struct text_out *out, struct slice text)
{
    while (text.len_bytes > 0 && !out->cut) {
        const size_t n = utf8_printable(text);

        if (n > 0)
            text_out_add(out, slice_head(text, n));
        else
            text_out_escape(out, text.ptr[0]);
        text = slice_skip(text, n > 0 ? n : 1);
    }
}

#endif
