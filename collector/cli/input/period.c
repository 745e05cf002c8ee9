/* period.c - `--since`, `--until`, `--today`, `--yesterday`: which stretch of time is read. */
#include "cli/input/period.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum { OPTION_SINCE = 0x2001, OPTION_UNTIL, OPTION_TODAY, OPTION_YESTERDAY };
enum { TIME_TEXT_BYTES = 32 };

#define SECOND_US INT64_C(1000000)
#define DAY_US    (INT64_C(86400) * SECOND_US)

/* "90s", "15m", "2h", "3d": so long before now. */
static bool parse_ago(const char *text, int64_t now_us, int64_t *ret_us)
{
    static const struct {
        char unit;
        int64_t us;
    } units[] = {{'s', SECOND_US}, {'m', 60 * SECOND_US}, {'h', 3600 * SECOND_US}, {'d', DAY_US}};
    char *end;
    long long n = strtoll(text, &end, 10);

    if (end == text || n < 0 || n > 1000000 || end[0] == '\0' || end[1] != '\0')
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == *end) {
            *ret_us = now_us - n * units[i].us;
            return true;
        }
    return false;
}

static bool parse_epoch(const char *text, int64_t *ret_us)
{
    char *end;
    long long n;

    if (text[0] != '@')
        return false;
    n = strtoll(text + 1, &end, 10);
    if (end == text + 1 || *end != '\0' || n < 0 || n > INT64_C(99999999999))
        return false;
    *ret_us = n * SECOND_US;
    return true;
}

/* A calendar time by one of these; a date of its own or, without one, today's. */
static bool parse_calendar(const char *text, int64_t now_us, int64_t *ret_us)
{
    static const struct {
        const char *format;
        bool dated;
    } formats[] = {
        {"%Y-%m-%dT%H:%M:%S", true},
        {"%Y-%m-%d %H:%M:%S", true},
        {"%Y-%m-%dT%H:%M", true},
        {"%Y-%m-%d %H:%M", true},
        {"%Y-%m-%d", true},
        {"%H:%M:%S", false},
        {"%H:%M", false},
    };
    time_t today = (time_t) (now_us / SECOND_US);

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = {0};
        const char *end;

        if (!formats[i].dated && gmtime_r(&today, &tm))
            tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        end = strptime(text, formats[i].format, &tm);
        if (end && (*end == '\0' || strcmp(end, "Z") == 0)) {
            *ret_us = (int64_t) timegm(&tm) * SECOND_US;
            return true;
        }
    }
    return false;
}

int period_parse_time(const char *text, int64_t now_us, int64_t *ret_us)
{
    return parse_ago(text, now_us, ret_us) || parse_epoch(text, ret_us) ||
                   parse_calendar(text, now_us, ret_us)
               ? 0
               : -EINVAL;
}

int period_parse_range(const char *text, int64_t now_us, struct period *ret_period)
{
    const char *dots = strstr(text, "..");
    struct period period = {0};
    char from[TIME_TEXT_BYTES];

    if (!dots || (size_t) (dots - text) >= sizeof from || (dots == text && dots[2] == '\0'))
        return -EINVAL;
    memcpy(from, text, (size_t) (dots - text));
    from[dots - text] = '\0';
    if (from[0] && period_parse_time(from, now_us, &period.from_us) < 0)
        return -EINVAL;
    if (dots[2] && period_parse_time(dots + 2, now_us, &period.to_us) < 0)
        return -EINVAL;
    if (dots[2] && --period.to_us <= period.from_us)
        return -EINVAL;
    *ret_period = period;
    return 0;
}

static void set_time(struct argp_state *state, const char *option, const char *text,
                     int64_t *ret_us)
{
    if (period_parse_time(text, clock_now_us(), ret_us) < 0)
        argp_error(state, "%s: '%s' is no time; try 2026-11-22 07:25, 07:25, 15m, 2h or @SECONDS",
                   option, text);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct period *period = state->input;
    int64_t midnight_us = clock_now_us() / DAY_US * DAY_US;

    switch (key) {
    case OPTION_SINCE:
        set_time(state, "--since", arg, &period->from_us);
        return 0;
    case OPTION_UNTIL:
        set_time(state, "--until", arg, &period->to_us);
        return 0;
    case OPTION_TODAY:
        *period = (struct period){.from_us = midnight_us};
        return 0;
    case OPTION_YESTERDAY:
        *period = (struct period){.from_us = midnight_us - DAY_US, .to_us = midnight_us - 1};
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"since", OPTION_SINCE, "TIME", 0, "only from TIME on (UTC): 2026-11-22 07:25, 07:25, 15m, 2h",
     10},
    {"until", OPTION_UNTIL, "TIME", 0, "only up to TIME", 10},
    {"today", OPTION_TODAY, NULL, 0, "only today (UTC)", 10},
    {"yesterday", OPTION_YESTERDAY, NULL, 0, "only yesterday (UTC)", 10},
    {0},
};

const struct argp period_argp = {.options = options, .parser = parse_option};
