/*
 * php_error.c - PHP's own error log.
 *
 *     [22-Nov-2026 05:39:20 UTC] PHP Fatal error:  Allowed memory size of 50331648 bytes exhausted
 *         (tried to allocate 2097152 bytes) in /data/web/x.php on line 15
 *     [22-Nov-2026 05:40:16 UTC] PHP Fatal error:  Uncaught RuntimeException: ... in F:21\nStack
 * trace:...
 */
#include "logs/log_time.h"
#include "logs/parsers.h"
#include "logs/scan.h"

/* "PHP Fatal error:  "; a message from error_log() has no such head */
static void take_level(struct scan *scan, struct slice *ret_level)
{
    struct scan ahead = *scan;
    struct slice level;

    if (scan_text(&ahead, SLICE("PHP ")) && scan_until(&ahead, ':', &level) &&
        level.len_bytes <= 32 && scan_byte(&ahead, ' ')) {
        *ret_level = scan_between(scan->at, level.ptr + level.len_bytes);
        scan_blanks(&ahead);
        *scan = ahead;
    }
}

/* " in FILE on line N" at the end of the first line, or of the last ("  thrown in FILE on line N")
 */
static bool take_place(struct slice text, struct log_php_error *php)
{
    static const struct slice on_line = {.ptr = " on line ", .len_bytes = 9};
    struct scan scan = scan_of(text);
    const char *number = NULL, *in;
    struct slice before;

    while (scan_past(&scan, on_line))
        number = scan.at;
    if (!number)
        return false;
    scan.at = number;
    if (!scan_small(&scan, &php->line))
        return false;
    before = scan_between(text.ptr, number - on_line.len_bytes);
    for (in = before.ptr + before.len_bytes; in > before.ptr; in--) {
        if (in + 4 <= before.ptr + before.len_bytes && memcmp(in, " in ", 4) == 0) {
            php->file = scan_between(in + 4, before.ptr + before.len_bytes);
            return true;
        }
    }
    return false;
}

/* php-fpm's own lines look the same up to here: "NOTICE: " is its level, not a message. */
static bool is_fpm_level(struct slice text)
{
    static const struct slice levels[] = {
        {"DEBUG: ", 7}, {"NOTICE: ", 8}, {"WARNING: ", 9}, {"ERROR: ", 7}, {"ALERT: ", 7},
    };

    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (slice_starts(text, levels[i]))
            return true;
    }
    return false;
}

bool php_error_parse(struct slice record, const struct log_context *context,
                     struct log_event *ret_event)
{
    struct log_php_error *php = &ret_event->php;
    struct scan scan = scan_of(record), limit;
    struct log_time time;
    ptrdiff_t newline;

    if (!scan_byte(&scan, '[') || !log_time_php(&scan, context, &time) ||
        !scan_text(&scan, SLICE("] ")) || scan_peek(&scan) == ' ' ||
        (!time.zone_known && is_fpm_level(scan_rest(&scan))))
        return false;
    log_event_init(ret_event, LOG_PHP_ERROR);
    log_time_put(&time, ret_event);
    take_level(&scan, &php->level);
    newline = slice_index(scan_rest(&scan), '\n');
    php->message = newline < 0 ? scan_rest(&scan) : slice_head(scan_rest(&scan), (size_t) newline);
    (void) take_place(scan_rest(&scan), php);
    php->uncaught = slice_starts(php->message, SLICE("Uncaught "));
    limit = scan_of(php->message);
    if (scan_text(&limit, SLICE("Allowed memory size of ")) &&
        scan_int(&limit, &php->limit_bytes) && scan_text(&limit, SLICE(" bytes exhausted")))
        php->memory_limit = true;
    return true;
}
