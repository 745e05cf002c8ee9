/*
 * fpm_log.c - php-fpm's own log.
 *
 *     [22-Nov-2026 05:38:44] WARNING: [pool www] child 14490 exited on signal 11 (SIGSEGV) after
 * ... [22-Nov-2026 05:44:20.283753] DEBUG: pid 27224, fpm_children_make(), line 81: [pool www] ...
 */
#include "logs/log_time.h"
#include "logs/parsers.h"
#include "logs/scan.h"

static const struct {
    enum log_fpm_what what;
    const char *pattern;
} messages[] = {
#define FPM_MESSAGE(id, text) {.what = id, .pattern = (text)},
#include "logs/fpm_messages.def"
#undef FPM_MESSAGE
};

/* What stands before the pattern's next literal run (`after`, up to '%' or the end). */
static bool take_up_to(struct scan *scan, const char *after, struct slice *ret_text)
{
    const struct slice literal = {.ptr = after, .len_bytes = strcspn(after, "%")};
    ptrdiff_t at = slice_find(scan_rest(scan), literal);

    if (literal.len_bytes == 0 || at < 0)
        return false;
    *ret_text = slice_head(scan_rest(scan), (size_t) at);
    scan->at += at;
    return true;
}

static bool take_field(struct scan *scan, char field, const char *after, struct log_fpm *fpm)
{
    struct slice text;

    switch (field) {
    case 'p':
        return scan_int(scan, &fpm->pid);
    case 's':
        return scan_small(scan, &fpm->signo);
    case 'd':
        return scan_small(scan, &fpm->code);
    case 'n':
        return scan_small(scan, &fpm->limit);
    case 't':
        return scan_seconds(scan, &fpm->age_us, NULL);
    case 'q':
        return take_up_to(scan, after, &fpm->script);
    case 'r':
        return take_up_to(scan, after, &fpm->request);
    case 'c':
        if (!take_up_to(scan, ")", &text))
            return false;
        fpm->core = slice_find(text, SLICE("core dumped")) >= 0;
        return true;
    default:
        return false;
    }
}

static bool matches(struct slice message, const char *pattern, struct log_fpm *fpm)
{
    struct scan scan = scan_of(message);

    for (; *pattern; pattern++) {
        if (*pattern == '%') {
            pattern++;
            if (!take_field(&scan, *pattern, pattern + 1, fpm))
                return false;
        } else if (!scan_byte(&scan, *pattern)) {
            return false;
        }
    }
    return true;
}

/* "pid 27224, fpm_children_make(), line 81: " of the debug level */
static void skip_origin(struct scan *scan)
{
    struct scan ahead = *scan;
    struct slice function;
    int64_t number;

    if (scan_text(&ahead, SLICE("pid ")) && scan_int(&ahead, &number) &&
        scan_text(&ahead, SLICE(", ")) && scan_until(&ahead, '(', &function) &&
        scan_text(&ahead, SLICE("), line ")) && scan_int(&ahead, &number) &&
        scan_text(&ahead, SLICE(": ")))
        *scan = ahead;
}

static void take_pool(struct scan *scan, struct slice *ret_pool)
{
    struct scan ahead = *scan;

    if (scan_text(&ahead, SLICE("[pool ")) && scan_until(&ahead, ']', ret_pool) &&
        scan_byte(&ahead, ' '))
        *scan = ahead;
    else
        *ret_pool = (struct slice){0};
}

void fpm_message_parse(struct slice level, struct slice message, struct log_fpm *ret_fpm)
{
    struct scan scan = scan_of(message);
    struct log_fpm blank = *ret_fpm, fpm;

    skip_origin(&scan);
    take_pool(&scan, &blank.pool);
    blank.level = level;
    blank.message = scan_rest(&scan);
    *ret_fpm = blank;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        fpm = blank;
        if (matches(blank.message, messages[i].pattern, &fpm)) {
            fpm.what = messages[i].what;
            *ret_fpm = fpm;
            return;
        }
    }
}

static bool take_level(struct scan *scan, struct slice *ret_level)
{
    static const struct slice levels[] = {
        {"DEBUG", 5}, {"NOTICE", 6}, {"WARNING", 7}, {"ERROR", 5}, {"ALERT", 5},
    };

    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        struct scan ahead = *scan;

        if (scan_text(&ahead, levels[i]) && scan_text(&ahead, SLICE(": "))) {
            *ret_level = scan_between(scan->at, scan->at + levels[i].len_bytes);
            *scan = ahead;
            return true;
        }
    }
    return false;
}

bool fpm_log_parse(struct slice record, const struct log_context *context,
                   struct log_event *ret_event)
{
    struct scan scan = scan_of(record);
    struct log_time time;
    struct slice level;

    if (!scan_byte(&scan, '[') || !log_time_php(&scan, context, &time) ||
        !scan_text(&scan, SLICE("] ")) || !take_level(&scan, &level))
        return false;
    log_event_init(ret_event, LOG_FPM);
    log_time_put(&time, ret_event);
    fpm_message_parse(level, scan_rest(&scan), &ret_event->fpm);
    return true;
}
