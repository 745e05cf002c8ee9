/* human.c - numbers, times and other people's texts as a person reads them. */
#include "report/human.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/utf8.h"

const char *human_bytes(double bytes, char *buf, size_t cap)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;

    while (fabs(bytes) >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1024;
        unit++;
    }
    snprintf(buf, cap, "%.*f %s", unit == 0 ? 0 : 1, bytes, units[unit]);
    return buf;
}

/* Below `below_us`, a duration is printed in units of `unit_us`, what is left in `rest_us`. */
static const struct duration_range {
    int64_t below_us, unit_us, rest_us;
    const char *unit, *rest;
} duration_ranges[] = {
    {1000, 1, 0, "us", NULL},
    {1000 * 1000, 1000, 0, "ms", NULL},
    {INT64_C(90) * 1000 * 1000, 1000 * 1000, 100 * 1000, "s", "."},
    {INT64_C(3600) * 1000 * 1000, INT64_C(60) * 1000 * 1000, 0, "min", NULL},
    {INT64_C(2 * 86400) * 1000 * 1000, INT64_C(3600) * 1000 * 1000, INT64_C(60) * 1000 * 1000, "h",
     "min"}, /* nobody has "1 days" to read */
    {INT64_MAX, INT64_C(86400) * 1000 * 1000, INT64_C(3600) * 1000 * 1000, "days", "h"},
};

const char *human_duration(int64_t us, char *buf, size_t cap)
{
    const struct duration_range *range = duration_ranges;

    if (us < 0)
        us = 0;
    while (us >= range->below_us && range->below_us != INT64_MAX)
        range++;
    long long whole = us / range->unit_us;
    long long rest = range->rest_us ? us % range->unit_us / range->rest_us : 0;

    if (!range->rest)
        snprintf(buf, cap, "%lld %s", whole, range->unit);
    else if (range->rest[0] == '.')
        snprintf(buf, cap, "%lld.%lld %s", whole, rest, range->unit);
    else if (rest > 0)
        snprintf(buf, cap, "%lld %s %lld %s", whole, range->unit, rest, range->rest);
    else
        snprintf(buf, cap, "%lld %s", whole, range->unit);
    return buf;
}

static bool split_time(int64_t unix_us, struct tm *ret_tm)
{
    time_t seconds = (time_t) (unix_us / 1000000);

    return unix_us > 0 && gmtime_r(&seconds, ret_tm) != NULL;
}

const char *human_time(int64_t unix_us, char *buf, size_t cap)
{
    struct tm tm;

    if (!split_time(unix_us, &tm) || strftime(buf, cap, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        snprintf(buf, cap, "-");
    return buf;
}

const char *human_clock(int64_t unix_us, char *buf, size_t cap)
{
    struct tm tm;

    if (!split_time(unix_us, &tm) || strftime(buf, cap, "%H:%M:%S", &tm) == 0)
        snprintf(buf, cap, "-");
    return buf;
}

/* Line separators and bidirectional overrides, U+2028 to U+202E; isolates, U+2066 to U+2069. */
static bool is_obeyed(const char *character)
{
    const unsigned char *at = (const unsigned char *) character;

    return at[0] == 0xe2 && ((at[1] == 0x80 && at[2] >= 0xa8 && at[2] <= 0xae) ||
                             (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9));
}

/* Length of the valid, printable UTF-8 character that `text` begins with, or 0. */
static size_t printable_length(struct slice text)
{
    const size_t len = utf8_printable(text);

    return len == 3 && is_obeyed(text.ptr) ? 0 : len;
}

const char *human_text(struct slice text, char *buf, size_t cap)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;

    for (size_t i = 0; i < text.len_bytes;) {
        const unsigned char *at = (const unsigned char *) text.ptr + i;
        const size_t len = printable_length(slice_skip(text, i));

        if (used + (len ? len : 4) + 1 > cap)
            break;
        if (len) {
            memcpy(buf + used, at, len);
        } else {
            const char escaped[] = {'\\', 'x', hex[at[0] >> 4], hex[at[0] & 15]};

            memcpy(buf + used, escaped, sizeof escaped);
        }
        used += len ? len : 4;
        i += len ? len : 1;
    }
    if (cap > 0)
        buf[used] = '\0';
    return buf;
}

const char *human_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}
