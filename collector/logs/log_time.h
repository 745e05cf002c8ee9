/*
 * log_time.h - the dates that logs print, as microseconds since the Unix epoch (UTC).
 *
 * Each log_time_x() takes one date from the cursor, or returns false and leaves it.  Where the text
 * has no zone, the context's is applied and `zone_known` is false; where it has no year, the latest
 * one is taken that is not after the context's reference time (a day of grace for zones and skew).
 */
#ifndef FPMSCOPE_LOGS_LOG_TIME_H
#define FPMSCOPE_LOGS_LOG_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "logs/log_context.h"
#include "logs/scan.h"
#include "model/log_event.h"

struct log_time {
    int64_t us;
    int64_t precision_us;
    bool zone_known;
    bool zone_printed;
    int32_t zone_offset_s;
};

/* 2026-11-22T05:38:43.123456+00:00, a blank for T, a comma for the point, +0000, Z or no zone */
bool log_time_iso(struct scan *scan, const struct log_context *context, struct log_time *ret_time);

/* 22/Nov/2026:05:38:43 +0000 */
bool log_time_clf(struct scan *scan, const struct log_context *context, struct log_time *ret_time);

/* 2026/11/22 05:38:44 */
bool log_time_nginx(struct scan *scan, const struct log_context *context,
                    struct log_time *ret_time);

/* 22-Nov-2026 05:38:42, 22-Nov-2026 05:38:42.123456, 22-Nov-2026 05:38:42 UTC (or Europe/Paris) */
bool log_time_php(struct scan *scan, const struct log_context *context, struct log_time *ret_time);

/* Nov 22 05:38:44, Nov  2 05:38:44.123456 */
bool log_time_syslog(struct scan *scan, const struct log_context *context,
                     struct log_time *ret_time);

/* Sun Nov 22 05:38:44 2026 (dmesg -T) */
bool log_time_ctime(struct scan *scan, const struct log_context *context,
                    struct log_time *ret_time);

/* Sun 2026-11-22 05:38:44 UTC (journalctl -o short-full); other names of zones: the context's */
bool log_time_full(struct scan *scan, const struct log_context *context, struct log_time *ret_time);

/* Sun, 22 Nov 2026 05:50:28 GMT */
bool log_time_http(struct scan *scan, const struct log_context *context, struct log_time *ret_time);

/* Seconds with or without a fraction; 13 digits are milliseconds, 16 are microseconds. */
bool log_time_epoch(struct scan *scan, const struct log_context *context,
                    struct log_time *ret_time);

/* Whichever of iso, clf, epoch and nginx it is. */
bool log_time_any(struct scan *scan, const struct log_context *context, struct log_time *ret_time);

/* Copy into the event's time fields. A zone that another date of the line has printed stays. */
void log_time_put(const struct log_time *time, struct log_event *event);

/* Seconds since the epoch of a date in the proleptic Gregorian calendar, taken as UTC. */
int64_t log_time_from_civil(int year, int month, int day, int hour, int minute, int second);

#endif
