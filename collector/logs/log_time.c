/* log_time.c - dates to microseconds: the calendar, the zone, and the year that is not there. */
#include "logs/log_time.h"

#include <stdlib.h>
#include <time.h>

enum {
    DAY_S = 86400,
    YEARS_BACK_MAX = 8, /* 29 February comes back within eight years */
};

struct civil {
    int year, month, day, hour, minute, second;
    int64_t fraction_us, precision_us;
};

int64_t log_time_from_civil(int year, int month, int day, int hour, int minute, int second)
{
    /* Howard Hinnant's days_from_civil: years begin in March, so leap days come last. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (era * 146097 + day_of_era - 719468) * DAY_S + hour * 3600 + minute * 60 + second;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool civil_is_real(const struct civil *civil)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int last;

    if (civil->month < 1 || civil->month > 12)
        return false;
    last = days[civil->month - 1] + (civil->month == 2 && is_leap(civil->year));
    return civil->day >= 1 && civil->day <= last && civil->hour <= 23 && civil->minute <= 59 &&
           civil->second <= 60;
}

static int64_t civil_seconds(const struct civil *civil)
{
    return log_time_from_civil(civil->year, civil->month, civil->day, civil->hour, civil->minute,
                               civil->second);
}

/* This machine's offset at a local time; inside a change of summer time mktime() decides. */
static int32_t local_offset_s(const struct civil *civil)
{
    struct tm tm = {
        .tm_year = civil->year - 1900,
        .tm_mon = civil->month - 1,
        .tm_mday = civil->day,
        .tm_hour = civil->hour,
        .tm_min = civil->minute,
        .tm_sec = civil->second,
        .tm_isdst = -1,
    };

    return mktime(&tm) == (time_t) -1 ? 0 : (int32_t) tm.tm_gmtoff;
}

static bool finish(const struct civil *civil, bool zone_known, int32_t offset_s,
                   struct log_time *ret_time)
{
    if (!civil_is_real(civil))
        return false;
    *ret_time = (struct log_time){
        .us = (civil_seconds(civil) - offset_s) * 1000000 + civil->fraction_us,
        .precision_us = civil->precision_us,
        .zone_known = zone_known,
        .zone_printed = zone_known,
        .zone_offset_s = offset_s,
    };
    return true;
}

static bool finish_local(const struct civil *civil, const struct log_context *context,
                         struct log_time *ret_time)
{
    if (!civil_is_real(civil))
        return false;
    return finish(civil, false,
                  context->zone.local ? local_offset_s(civil) : context->zone.offset_s, ret_time);
}

static bool take_month_name(struct scan *scan, int *ret_month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    if (scan_left(scan) < 3)
        return false;
    for (int i = 0; i < 12; i++) {
        if (memcmp(scan->at, names + (size_t) i * 3, 3) == 0) {
            scan->at += 3;
            *ret_month = i + 1;
            return true;
        }
    }
    return false;
}

/* 05:38:43, and a fraction if there is one */
static bool take_clock(struct scan *scan, struct civil *civil)
{
    civil->fraction_us = 0;
    civil->precision_us = 1000000;
    if (!scan_digits(scan, 2, &civil->hour) || !scan_byte(scan, ':') ||
        !scan_digits(scan, 2, &civil->minute) || !scan_byte(scan, ':') ||
        !scan_digits(scan, 2, &civil->second))
        return false;
    (void) scan_fraction(scan, &civil->fraction_us, &civil->precision_us);
    return true;
}

/* +0000, +00:00, Z */
static bool take_zone(struct scan *scan, int32_t *ret_offset_s)
{
    struct scan ahead = *scan;
    int hours, minutes;
    bool west;

    if (scan_byte(scan, 'Z')) {
        *ret_offset_s = 0;
        return true;
    }
    west = scan_byte(&ahead, '-');
    if (!west && !scan_byte(&ahead, '+'))
        return false;
    if (!scan_digits(&ahead, 2, &hours))
        return false;
    (void) scan_byte(&ahead, ':');
    if (!scan_digits(&ahead, 2, &minutes) || hours > 14 || minutes > 59)
        return false;
    *scan = ahead;
    *ret_offset_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

/* "2026-11-22" */
static bool take_date(struct scan *scan, struct civil *civil)
{
    return scan_digits(scan, 4, &civil->year) && scan_byte(scan, '-') &&
           scan_digits(scan, 2, &civil->month) && scan_byte(scan, '-') &&
           scan_digits(scan, 2, &civil->day);
}

bool log_time_iso(struct scan *scan, const struct log_context *context, struct log_time *ret_time)
{
    struct scan ahead = *scan;
    struct civil civil;
    int32_t offset_s;
    bool ok;

    if (!take_date(&ahead, &civil) || !(scan_byte(&ahead, 'T') || scan_byte(&ahead, ' ')) ||
        !take_clock(&ahead, &civil))
        return false;
    if (take_zone(&ahead, &offset_s))
        ok = finish(&civil, true, offset_s, ret_time);
    else
        ok = finish_local(&civil, context, ret_time);
    if (ok)
        *scan = ahead;
    return ok;
}

bool log_time_clf(struct scan *scan, const struct log_context *context, struct log_time *ret_time)
{
    struct scan ahead = *scan;
    struct civil civil;
    int32_t offset_s;

    (void) context;
    if (!scan_digits(&ahead, 2, &civil.day) || !scan_byte(&ahead, '/') ||
        !take_month_name(&ahead, &civil.month) || !scan_byte(&ahead, '/') ||
        !scan_digits(&ahead, 4, &civil.year) || !scan_byte(&ahead, ':') ||
        !take_clock(&ahead, &civil) || !scan_byte(&ahead, ' ') || !take_zone(&ahead, &offset_s) ||
        !finish(&civil, true, offset_s, ret_time))
        return false;
    *scan = ahead;
    return true;
}

bool log_time_nginx(struct scan *scan, const struct log_context *context, struct log_time *ret_time)
{
    struct scan ahead = *scan;
    struct civil civil;

    if (!scan_digits(&ahead, 4, &civil.year) || !scan_byte(&ahead, '/') ||
        !scan_digits(&ahead, 2, &civil.month) || !scan_byte(&ahead, '/') ||
        !scan_digits(&ahead, 2, &civil.day) || !scan_byte(&ahead, ' ') ||
        !take_clock(&ahead, &civil) || !finish_local(&civil, context, ret_time))
        return false;
    *scan = ahead;
    return true;
}

/* PHP's error log names the zone of date.timezone; the names of UTC are enough for a shop. */
static bool take_zone_name(struct scan *scan, bool *ret_is_utc)
{
    struct scan ahead = *scan;
    const char *first;

    if (!scan_byte(&ahead, ' '))
        return false;
    first = ahead.at;
    while (ahead.at < ahead.end && *ahead.at != ']' && *ahead.at != ' ')
        ahead.at++;
    if (ahead.at == first || ahead.at == ahead.end || *ahead.at != ']')
        return false;
    *scan = ahead;
    *ret_is_utc = slice_equal(scan_between(first, ahead.at), SLICE("UTC")) ||
                  slice_equal(scan_between(first, ahead.at), SLICE("GMT")) ||
                  slice_equal(scan_between(first, ahead.at), SLICE("Etc/UTC"));
    return true;
}

bool log_time_php(struct scan *scan, const struct log_context *context, struct log_time *ret_time)
{
    struct scan ahead = *scan;
    struct civil civil;
    bool is_utc = false, ok;

    if (!scan_digits(&ahead, 2, &civil.day) || !scan_byte(&ahead, '-') ||
        !take_month_name(&ahead, &civil.month) || !scan_byte(&ahead, '-') ||
        !scan_digits(&ahead, 4, &civil.year) || !scan_byte(&ahead, ' ') ||
        !take_clock(&ahead, &civil))
        return false;
    (void) take_zone_name(&ahead, &is_utc);
    if (is_utc)
        ok = finish(&civil, true, 0, ret_time);
    else
        ok = finish_local(&civil, context, ret_time);
    if (ok)
        *scan = ahead;
    return ok;
}

/* The latest year in which the date is not after the reference; 29 February skips years. */
static bool finish_without_year(struct civil *civil, const struct log_context *context,
                                struct log_time *ret_time)
{
    time_t reference_s = (time_t) (context->reference_us / 1000000);
    struct tm tm;
    int year;

    if (!gmtime_r(&reference_s, &tm))
        return false;
    year = tm.tm_year + 1900 + 1; /* the zone may be a year ahead */
    for (int back = 0; back <= YEARS_BACK_MAX; back++) {
        civil->year = year - back;
        if (finish_local(civil, context, ret_time) &&
            ret_time->us <= context->reference_us + DAY_S * 1000000LL)
            return true;
    }
    return false;
}

bool log_time_syslog(struct scan *scan, const struct log_context *context,
                     struct log_time *ret_time)
{
    struct scan ahead = *scan;
    struct civil civil;

    if (!take_month_name(&ahead, &civil.month) || !scan_byte(&ahead, ' '))
        return false;
    if (scan_byte(&ahead, ' ')) {
        if (!scan_digits(&ahead, 1, &civil.day))
            return false;
    } else if (!scan_digits(&ahead, 2, &civil.day)) {
        return false;
    }
    if (!scan_byte(&ahead, ' ') || !take_clock(&ahead, &civil) ||
        !finish_without_year(&civil, context, ret_time))
        return false;
    *scan = ahead;
    return true;
}

static bool take_weekday(struct scan *scan)
{
    static const char names[] = "SunMonTueWedThuFriSat";

    for (int i = 0; i < 7; i++) {
        if (scan_text(scan, (struct slice){.ptr = names + (size_t) i * 3, .len_bytes = 3}))
            return true;
    }
    return false;
}

bool log_time_ctime(struct scan *scan, const struct log_context *context, struct log_time *ret_time)
{
    struct scan ahead = *scan;
    struct civil civil;

    if (!take_weekday(&ahead) || !scan_byte(&ahead, ' ') ||
        !take_month_name(&ahead, &civil.month) || !scan_byte(&ahead, ' '))
        return false;
    scan_blanks(&ahead);
    if (!scan_small(&ahead, &civil.day) || !scan_byte(&ahead, ' ') || !take_clock(&ahead, &civil) ||
        !scan_byte(&ahead, ' ') || !scan_digits(&ahead, 4, &civil.year) ||
        !finish_local(&civil, context, ret_time))
        return false;
    *scan = ahead;
    return true;
}

bool log_time_full(struct scan *scan, const struct log_context *context, struct log_time *ret_time)
{
    struct scan ahead = *scan;
    struct civil civil;
    struct slice zone;
    bool ok;

    if (!take_weekday(&ahead) || !scan_byte(&ahead, ' ') || !take_date(&ahead, &civil) ||
        !scan_byte(&ahead, ' ') || !take_clock(&ahead, &civil) || !scan_byte(&ahead, ' ') ||
        !scan_token(&ahead, &zone))
        return false;
    if (slice_equal(zone, SLICE("UTC")))
        ok = finish(&civil, true, 0, ret_time);
    else
        ok = finish_local(&civil, context, ret_time);
    if (ok)
        *scan = ahead;
    return ok;
}

bool log_time_http(struct scan *scan, const struct log_context *context, struct log_time *ret_time)
{
    struct scan ahead = *scan;
    struct civil civil;

    (void) context;
    if (!take_weekday(&ahead) || !scan_text(&ahead, SLICE(", ")) ||
        !scan_digits(&ahead, 2, &civil.day) || !scan_byte(&ahead, ' ') ||
        !take_month_name(&ahead, &civil.month) || !scan_byte(&ahead, ' ') ||
        !scan_digits(&ahead, 4, &civil.year) || !scan_byte(&ahead, ' ') ||
        !take_clock(&ahead, &civil) || !scan_text(&ahead, SLICE(" GMT")) ||
        !finish(&civil, true, 0, ret_time))
        return false;
    *scan = ahead;
    return true;
}

bool log_time_epoch(struct scan *scan, const struct log_context *context, struct log_time *ret_time)
{
    struct scan ahead = *scan;
    const char *first = ahead.at;
    int64_t value, unit_us = 1000000, fraction_us = 0, precision_us;
    ptrdiff_t digits;

    (void) context;
    if (!scan_is_digit(scan_peek(&ahead)) || !scan_int(&ahead, &value))
        return false;
    digits = ahead.at - first;
    if (digits < 9 || digits > 16)
        return false;
    if (digits > 11)
        unit_us = digits > 14 ? 1 : 1000;
    precision_us = unit_us;
    if (unit_us == 1000000)
        (void) scan_fraction(&ahead, &fraction_us, &precision_us);
    *scan = ahead;
    *ret_time = (struct log_time){
        .us = value * unit_us + fraction_us,
        .precision_us = precision_us,
        .zone_known = true,
    };
    return true;
}

bool log_time_any(struct scan *scan, const struct log_context *context, struct log_time *ret_time)
{
    return log_time_iso(scan, context, ret_time) || log_time_clf(scan, context, ret_time) ||
           log_time_nginx(scan, context, ret_time) || log_time_epoch(scan, context, ret_time);
}

void log_time_put(const struct log_time *time, struct log_event *event)
{
    event->time_us = time->us;
    event->time_precision_us = time->precision_us;
    event->zone_known = time->zone_known;
    if (time->zone_printed || !event->zone_printed) {
        event->zone_printed = time->zone_printed;
        event->zone_offset_s = time->zone_offset_s;
    }
}
