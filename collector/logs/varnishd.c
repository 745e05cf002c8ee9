/*
 * varnishd.c - what varnishd writes to its output or to syslog: its child died, and why.
 *
 *     Error: Child (9902) died signal=6
 *     Error: Child (9902) Panic at: Sun, 22 Nov 2026 05:50:28 GMT
 *     Assert error in VBO_GetBusyObj(), cache/cache_busyobj.c line 124:
 *       Condition(p < bo->end) not true.
 */
#include "logs/log_time.h"
#include "logs/parsers.h"
#include "logs/scan.h"

static void parse_panic(struct slice text, const struct log_context *context,
                        struct log_event *event)
{
    struct scan scan = scan_of(text);
    struct slice line;
    struct log_time time;

    if (!scan_past(&scan, SLICE(") Panic at: ")))
        return;
    event->varnishd.what = VARNISHD_PANIC;
    if (log_time_http(&scan, context, &time))
        log_time_put(&time, event);
    if (scan_until(&scan, '\n', &line)) {
        ptrdiff_t end = slice_find(scan_rest(&scan), SLICE("\nversion = "));

        event->varnishd.message =
            end < 0 ? scan_rest(&scan) : slice_head(scan_rest(&scan), (size_t) end);
    }
}

static void parse_died(struct scan *scan, struct log_varnishd *varnishd)
{
    varnishd->what = VARNISHD_CHILD_DIED;
    if (scan_text(scan, SLICE(" died signal=")))
        (void) scan_small(scan, &varnishd->signo);
}

void varnishd_message_parse(struct slice message, const struct log_context *context,
                            struct log_event *ret_event)
{
    struct log_varnishd *varnishd = &ret_event->varnishd;
    struct scan scan = scan_of(message);

    varnishd->message = message;
    if (scan_text(&scan, SLICE("Child (")) && scan_int(&scan, &varnishd->pid) &&
        scan_byte(&scan, ')')) {
        if (slice_starts(scan_rest(&scan), SLICE(" died")))
            parse_died(&scan, varnishd);
        else if (slice_starts(scan_rest(&scan), SLICE(" Started")))
            varnishd->what = VARNISHD_CHILD_STARTED;
        parse_panic(message, context, ret_event);
    } else if (slice_starts(message, SLICE("Manager got ")) ||
               slice_starts(message, SLICE("Stopping Child")) ||
               slice_starts(message, SLICE("manager stopping child"))) {
        varnishd->what = VARNISHD_STOPPED;
    }
}

bool varnishd_parse(struct slice record, const struct log_context *context,
                    struct log_event *ret_event)
{
    struct scan scan = scan_of(record);

    if (!scan_text(&scan, SLICE("Error: ")) && !scan_text(&scan, SLICE("Info: ")) &&
        !scan_text(&scan, SLICE("Debug: ")) && !slice_starts(record, SLICE("Child (")) &&
        !slice_starts(record, SLICE("Child launched")))
        return false;
    log_event_init(ret_event, LOG_VARNISHD);
    varnishd_message_parse(scan_rest(&scan), context, ret_event);
    return true;
}
