/*
 * text.h - bounded building of short texts, where printf must not go.
 */
#ifndef FPMSCOPE_BASE_TEXT_H
#define FPMSCOPE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A NUL-terminated text under construction; `cut` says that something did not fit. */
struct text {
    char *buf;
    size_t cap_bytes, len_bytes;
    bool cut;
};

static inline struct text text_begin(char *buf, size_t cap_bytes)
{
    buf[0] = '\0';
    return (struct text){.buf = buf, .cap_bytes = cap_bytes};
}

/* All of `bytes` or nothing. */
static inline void text_add_bytes(struct text *text, const char *bytes, size_t len_bytes)
{
    if (len_bytes >= text->cap_bytes - text->len_bytes) {
        text->cut = true;
        return;
    }
    memcpy(text->buf + text->len_bytes, bytes, len_bytes);
    text->len_bytes += len_bytes;
    text->buf[text->len_bytes] = '\0';
}

static inline void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

static inline void text_add_number(struct text *text, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char) ('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text_add_bytes(text, digits + at, sizeof digits - at);
}

#endif
