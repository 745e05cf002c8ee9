/* scan.c - the parts of the cursor that are too long to be inlined. */
#include "logs/scan.h"

#include <limits.h>

bool scan_past(struct scan *scan, struct slice needle)
{
    ptrdiff_t at = slice_find(scan_rest(scan), needle);

    if (at < 0)
        return false;
    scan->at += (size_t) at + needle.len_bytes;
    return true;
}

bool scan_int(struct scan *scan, int64_t *ret_value)
{
    struct scan ahead = *scan;
    bool negative = scan_byte(&ahead, '-');
    const char *first = ahead.at;
    int64_t value = 0;

    for (; ahead.at < ahead.end && scan_is_digit(*ahead.at); ahead.at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *ahead.at - '0', &value))
            return false;
    }
    if (ahead.at == first)
        return false;
    *scan = ahead;
    *ret_value = negative ? -value : value;
    return true;
}

bool scan_small(struct scan *scan, int *ret_value)
{
    struct scan ahead = *scan;
    int64_t value;

    if (!scan_int(&ahead, &value) || value > INT_MAX || value < INT_MIN)
        return false;
    *scan = ahead;
    *ret_value = (int) value;
    return true;
}

int scan_hex_digit(char byte)
{
    if (scan_is_digit(byte))
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

bool scan_hex(struct scan *scan, uint64_t *ret_value)
{
    struct scan ahead = *scan;
    const char *first;
    uint64_t value = 0;

    (void) scan_text(&ahead, SLICE("0x"));
    first = ahead.at;
    for (int digit; ahead.at < ahead.end && (digit = scan_hex_digit(*ahead.at)) >= 0; ahead.at++) {
        if (value >> 60)
            return false;
        value = value << 4 | (uint64_t) digit;
    }
    if (ahead.at == first)
        return false;
    *scan = ahead;
    *ret_value = value;
    return true;
}

bool scan_fraction(struct scan *scan, int64_t *ret_us, int64_t *ret_precision_us)
{
    struct scan ahead = *scan;
    int64_t unit_us = 1000000, us = 0;
    const char *first;

    if (!scan_byte(&ahead, '.') && !scan_byte(&ahead, ','))
        return false;
    first = ahead.at;
    for (; ahead.at < ahead.end && scan_is_digit(*ahead.at); ahead.at++) {
        if (unit_us == 1)
            continue; /* finer than a microsecond */
        unit_us /= 10;
        us += (*ahead.at - '0') * unit_us;
    }
    if (ahead.at == first)
        return false;
    *scan = ahead;
    *ret_us = us;
    *ret_precision_us = unit_us;
    return true;
}

bool scan_seconds(struct scan *scan, int64_t *ret_us, int64_t *ret_precision_us)
{
    struct scan ahead = *scan;
    int64_t seconds, us = 0, precision_us = 1000000;

    if (!scan_is_digit(scan_peek(&ahead)) || !scan_int(&ahead, &seconds))
        return false;
    (void) scan_fraction(&ahead, &us, &precision_us);
    if (seconds > INT64_MAX / 1000000 - 1)
        return false;
    *scan = ahead;
    *ret_us = seconds * 1000000 + us;
    if (ret_precision_us)
        *ret_precision_us = precision_us;
    return true;
}

bool scan_whole_int(struct slice text, int64_t *ret_value)
{
    struct scan scan = scan_of(text);
    int64_t value;

    if (!scan_int(&scan, &value) || !scan_done(&scan))
        return false;
    *ret_value = value;
    return true;
}
