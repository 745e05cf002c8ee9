/*
 * php_slow.c - a block of php-fpm's slow log; the innermost frame says where it was stuck.
 *
 *     [22-Nov-2026 05:39:31]  [pool www] pid 15378
 *     script_filename = /data/web/magento2/pub/index.php
 *     [0x00007efcb18131a0] usleep() /data/web/magento2/pub/index.php:19
 */
#include "logs/log_time.h"
#include "logs/parsers.h"
#include "logs/scan.h"

/* "usleep() /data/web/magento2/pub/index.php:19" */
static void take_frame(struct slice text, struct log_php_slow *slow)
{
    ptrdiff_t blank = slice_index(text, ' ');
    const char *colon;
    struct scan number;

    slow->function = blank < 0 ? text : slice_head(text, (size_t) blank);
    if (blank < 0)
        return;
    slow->file = slice_skip(text, (size_t) blank + 1);
    colon = slow->file.len_bytes ? memrchr(slow->file.ptr, ':', slow->file.len_bytes) : NULL;
    if (!colon)
        return;
    number = scan_of(scan_between(colon + 1, slow->file.ptr + slow->file.len_bytes));
    if (scan_small(&number, &slow->line))
        slow->file = scan_between(slow->file.ptr, colon);
}

static void take_body(struct scan scan, struct log_php_slow *slow)
{
    struct slice line, address;

    while (!scan_done(&scan)) {
        struct scan inner;

        if (!scan_until(&scan, '\n', &line)) {
            line = scan_rest(&scan);
            scan.at = scan.end;
        }
        inner = scan_of(line);
        if (scan_text(&inner, SLICE("script_filename = "))) {
            slow->script = scan_rest(&inner);
        } else if (scan_text(&inner, SLICE("[0x")) && scan_until(&inner, ']', &address) &&
                   scan_byte(&inner, ' ')) {
            take_frame(scan_rest(&inner), slow);
            slow->stack = scan_between(line.ptr, scan.end);
            return;
        }
    }
}

bool php_slow_parse(struct slice record, const struct log_context *context,
                    struct log_event *ret_event)
{
    struct scan scan = scan_of(record);
    struct log_time time;
    struct slice pool;
    int64_t pid;

    if (!scan_byte(&scan, '[') || !log_time_php(&scan, context, &time) ||
        !scan_text(&scan, SLICE("]  [pool ")) || !scan_until(&scan, ']', &pool) ||
        !scan_text(&scan, SLICE(" pid ")) || !scan_int(&scan, &pid))
        return false;
    log_event_init(ret_event, LOG_PHP_SLOW);
    log_time_put(&time, ret_event);
    ret_event->slow.pool = pool;
    ret_event->slow.pid = pid;
    take_body(scan, &ret_event->slow);
    return true;
}
