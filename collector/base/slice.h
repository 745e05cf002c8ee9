/*
 * slice.h - bytes that belong to somebody else: a pointer and a length, never NUL-terminated.
 *
 * Parsers take slices of a line and give slices of the same line; nothing is copied and nothing is
 * freed.  A slice is valid as long as the buffer that it points into.  `ptr` may be NULL only when
 * `len_bytes` is 0; what these functions give of such a slice has a `ptr`, so that it may be handed
 * to memcmp() and printf() as it is.
 */
#ifndef FPMSCOPE_BASE_SLICE_H
#define FPMSCOPE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len_bytes;
};

/* The slice of a string literal. */
#define SLICE(literal) ((struct slice){.ptr = (literal), .len_bytes = sizeof(literal) - 1})

/* The slice of a NUL-terminated string; NULL gives an empty slice. */
static inline struct slice slice_of(const char *text)
{
    return text ? (struct slice){.ptr = text, .len_bytes = strlen(text)} : SLICE("");
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len_bytes == b.len_bytes &&
           (a.len_bytes == 0 || memcmp(a.ptr, b.ptr, a.len_bytes) == 0);
}

static inline bool slice_starts(struct slice text, struct slice prefix)
{
    return text.len_bytes >= prefix.len_bytes &&
           (prefix.len_bytes == 0 || memcmp(text.ptr, prefix.ptr, prefix.len_bytes) == 0);
}

/* `text` without its first `n` bytes; empty when it has fewer. */
static inline struct slice slice_skip(struct slice text, size_t n)
{
    if (!text.ptr)
        return SLICE("");
    if (n > text.len_bytes)
        n = text.len_bytes;
    return (struct slice){.ptr = text.ptr + n, .len_bytes = text.len_bytes - n};
}

/* The first `n` bytes of `text`; all of it when it has fewer. */
static inline struct slice slice_head(struct slice text, size_t n)
{
    if (n < text.len_bytes)
        text.len_bytes = n;
    return text;
}

static inline bool slice_is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* `text` without blanks, tabs, CR and LF around it. */
static inline struct slice slice_trim(struct slice text)
{
    while (text.len_bytes > 0 && slice_is_blank(text.ptr[0]))
        text = slice_skip(text, 1);
    while (text.len_bytes > 0 && slice_is_blank(text.ptr[text.len_bytes - 1]))
        text.len_bytes--;
    return text;
}

/* Offset of the first `byte`, or -1. */
static inline ptrdiff_t slice_index(struct slice text, char byte)
{
    const char *at = text.ptr ? memchr(text.ptr, byte, text.len_bytes) : NULL;

    return at ? at - text.ptr : -1;
}

/* Offset of the first occurrence of `needle`, or -1. */
static inline ptrdiff_t slice_find(struct slice text, struct slice needle)
{
    const char *at =
        text.ptr ? memmem(text.ptr, text.len_bytes, needle.ptr, needle.len_bytes) : NULL;

    return at ? at - text.ptr : -1;
}

#endif
