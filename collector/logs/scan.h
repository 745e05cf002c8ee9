/*
 * scan.h - a cursor over somebody's bytes: take what is expected, or stay where you are.
 *
 * Every scan_x() returns true and moves behind what it took, or returns false and has not moved.
 * None reads at or behind `end`; none allocates.  Inline, because access lines go through here at
 * a million a second.
 */
#ifndef FPMSCOPE_LOGS_SCAN_H
#define FPMSCOPE_LOGS_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

struct scan {
    const char *at, *end;
};

static inline struct scan scan_of(struct slice text)
{
    const char *ptr = text.ptr ? text.ptr : "";

    return (struct scan){.at = ptr, .end = ptr + text.len_bytes};
}

static inline size_t scan_left(const struct scan *scan)
{
    return (size_t) (scan->end - scan->at);
}

static inline bool scan_done(const struct scan *scan)
{
    return scan->at == scan->end;
}

static inline struct slice scan_rest(const struct scan *scan)
{
    return (struct slice){.ptr = scan->at, .len_bytes = scan_left(scan)};
}

/* The bytes between two places of one text. */
static inline struct slice scan_between(const char *from, const char *to)
{
    return (struct slice){.ptr = from, .len_bytes = (size_t) (to - from)};
}

static inline bool scan_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The next byte, or NUL at the end. */
static inline char scan_peek(const struct scan *scan)
{
    return scan->at < scan->end ? *scan->at : '\0';
}

static inline bool scan_byte(struct scan *scan, char byte)
{
    if (scan->at == scan->end || *scan->at != byte)
        return false;
    scan->at++;
    return true;
}

static inline bool scan_text(struct scan *scan, struct slice expected)
{
    if (scan_left(scan) < expected.len_bytes ||
        memcmp(scan->at, expected.ptr, expected.len_bytes) != 0)
        return false;
    scan->at += expected.len_bytes;
    return true;
}

/* Skip blanks and tabs, possibly none. */
static inline void scan_blanks(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t'))
        scan->at++;
}

/* Exactly `count` digits (at most 9). */
static inline bool scan_digits(struct scan *scan, size_t count, int *ret_value)
{
    int value = 0;

    if (scan_left(scan) < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!scan_is_digit(scan->at[i]))
            return false;
        value = value * 10 + (scan->at[i] - '0');
    }
    scan->at += count;
    *ret_value = value;
    return true;
}

/* What comes before the first `stop`; moves behind `stop`. */
static inline bool scan_until(struct scan *scan, char stop, struct slice *ret_text)
{
    const char *hit = scan_left(scan) ? memchr(scan->at, stop, scan_left(scan)) : NULL;

    if (!hit)
        return false;
    *ret_text = scan_between(scan->at, hit);
    scan->at = hit + 1;
    return true;
}

/* A run of bytes other than a blank; at least one. */
static inline bool scan_token(struct scan *scan, struct slice *ret_text)
{
    const char *hit = scan->at;

    while (hit < scan->end && *hit != ' ')
        hit++;
    if (hit == scan->at)
        return false;
    *ret_text = scan_between(scan->at, hit);
    scan->at = hit;
    return true;
}

/* Move behind the first `needle`. */
bool scan_past(struct scan *scan, struct slice needle);

/* A decimal number with an optional '-'; false when it does not fit. */
bool scan_int(struct scan *scan, int64_t *ret_value);

/* The same into an int. */
bool scan_small(struct scan *scan, int *ret_value);

/* The value of one hexadecimal digit, or -1. */
int scan_hex_digit(char byte);

/* Hexadecimal digits, with or without 0x; false when they do not fit 64 bits. */
bool scan_hex(struct scan *scan, uint64_t *ret_value);

/*
 * Seconds with an optional fraction ("0.065", "3", "1109.895754") as microseconds; further digits
 * are dropped.  `ret_precision_us` (may be NULL): 1000000 without a fraction, 1000 for three
 * digits.
 */
bool scan_seconds(struct scan *scan, int64_t *ret_us, int64_t *ret_precision_us);

/* A fraction: '.' or ',' and digits, as microseconds; false when there is none. */
bool scan_fraction(struct scan *scan, int64_t *ret_us, int64_t *ret_precision_us);

/* The whole of `text` as a number. */
bool scan_whole_int(struct slice text, int64_t *ret_value);

#endif
