/*
 * system_log.c - a line of dmesg, syslog or the journal: its stamp, who said it, and then the
 * parser of that program.
 *
 *     [ 1320.067615] MESSAGE                               dmesg
 *     [ 1320.067615][ T1234] MESSAGE                       dmesg of kernels that name the caller
 *     [Sun Nov 22 05:38:44 2026] MESSAGE                   dmesg -T
 *     2026-11-22T05:38:44,067615+00:00 MESSAGE             dmesg --time-format iso
 *     Nov 22 05:38:44 HOST PROGRAM[PID]: MESSAGE           syslog, journalctl
 *     2026-11-22T05:38:44.067615+00:00 HOST PROGRAM: ...   rsyslog, journalctl -o short-iso
 *     Sun 2026-11-22 05:38:44 UTC HOST PROGRAM: ...        journalctl -o short-full
 */
#include "logs/log_time.h"
#include "logs/parsers.h"
#include "logs/scan.h"

struct stamp {
    struct log_time time;
    int64_t uptime_us; /* -1: none */
    bool has_time;
    bool is_kernel; /* dmesg: nobody else writes there (but for /dev/kmsg) */
};

/* <6>, or "kern  :info  : " of dmesg -x */
static void skip_priority(struct scan *scan)
{
    struct scan ahead = *scan;
    struct slice facility, level;
    int64_t number;

    if (scan_byte(&ahead, '<') && scan_int(&ahead, &number) && scan_byte(&ahead, '>')) {
        *scan = ahead;
        return;
    }
    ahead = *scan;
    if (scan_text(&ahead, SLICE("kern")) && scan_until(&ahead, ':', &facility) &&
        scan_until(&ahead, ':', &level) && facility.len_bytes < 8 && level.len_bytes < 8 &&
        scan_byte(&ahead, ' ') && scan_peek(&ahead) == '[')
        *scan = ahead;
}

/* "[ T1234]" or "[    C0]": the thread or the processor that printed */
static void skip_caller(struct scan *scan)
{
    struct scan ahead = *scan;
    int64_t number;

    if (!scan_byte(&ahead, '['))
        return;
    scan_blanks(&ahead);
    if ((scan_byte(&ahead, 'T') || scan_byte(&ahead, 'C')) && scan_int(&ahead, &number) &&
        scan_byte(&ahead, ']'))
        *scan = ahead;
}

/* "[ 1320.067615] " */
static bool take_uptime(struct scan *scan, int64_t *ret_uptime_us)
{
    struct scan ahead = *scan;
    int64_t uptime_us, precision_us;

    if (!scan_byte(&ahead, '['))
        return false;
    scan_blanks(&ahead);
    if (!scan_seconds(&ahead, &uptime_us, &precision_us) || precision_us == 1000000 ||
        !scan_byte(&ahead, ']'))
        return false;
    skip_caller(&ahead);
    if (!scan_byte(&ahead, ' '))
        return false;
    *scan = ahead;
    *ret_uptime_us = uptime_us;
    return true;
}

/* "[Sun Nov 22 05:38:44 2026] "; not Apache's, which goes on with "[error]" or has a fraction */
static bool take_bracketed_date(struct scan *scan, const struct log_context *context,
                                struct log_time *ret_time)
{
    struct scan ahead = *scan;

    if (!scan_byte(&ahead, '[') || !log_time_ctime(&ahead, context, ret_time) ||
        ret_time->precision_us != 1000000 || !scan_text(&ahead, SLICE("] ")))
        return false;
    if (scan_peek(&ahead) == '[' && ahead.end - ahead.at > 1 && !scan_is_digit(ahead.at[1]) &&
        ahead.at[1] != ' ')
        return false;
    *scan = ahead;
    return true;
}

static bool take_stamp(struct scan *scan, const struct log_context *context,
                       struct stamp *ret_stamp)
{
    const char *first;

    *ret_stamp = (struct stamp){.uptime_us = -1};
    skip_priority(scan);
    ret_stamp->is_kernel = true;
    if (take_uptime(scan, &ret_stamp->uptime_us))
        return true;
    ret_stamp->has_time = true;
    if (take_bracketed_date(scan, context, &ret_stamp->time))
        return true;
    first = scan->at;
    ret_stamp->is_kernel = false;
    if (log_time_iso(scan, context, &ret_stamp->time)) {
        ret_stamp->is_kernel = memchr(first, ',', (size_t) (scan->at - first)) != NULL;
        return scan_left(scan) > 0 && first[10] == 'T' && scan_byte(scan, ' ');
    }
    return (log_time_syslog(scan, context, &ret_stamp->time) ||
            log_time_full(scan, context, &ret_stamp->time) ||
            log_time_epoch(scan, context, &ret_stamp->time)) &&
           scan_byte(scan, ' ');
}

/* "HOST PROGRAM[PID]: " */
static bool take_program(struct scan *scan, struct slice *ret_program)
{
    struct scan ahead = *scan;
    struct slice host, program;
    ptrdiff_t bracket;

    if (!scan_token(&ahead, &host) || !scan_byte(&ahead, ' ') || !scan_token(&ahead, &program) ||
        program.ptr[program.len_bytes - 1] != ':')
        return false;
    program.len_bytes--;
    bracket = slice_index(program, '[');
    if (bracket == 0 || program.len_bytes == 0)
        return false;
    *ret_program = bracket > 0 ? slice_head(program, (size_t) bracket) : program;
    scan_blanks(&ahead);
    *scan = ahead;
    return true;
}

static void put_stamp(const struct stamp *stamp, struct log_event *event)
{
    if (stamp->has_time)
        log_time_put(&stamp->time, event);
}

static bool parse_kernel(struct slice message, const struct log_context *context,
                         const struct stamp *stamp, struct log_event *event)
{
    struct scan scan = scan_of(message);
    int64_t uptime_us = stamp->uptime_us;

    (void) context;
    (void) take_uptime(&scan, &uptime_us);
    log_event_init(event, LOG_KERNEL);
    put_stamp(stamp, event);
    event->kernel.uptime_us = uptime_us;
    if (!stamp->has_time) {
        event->kernel.uptime_clock = true;
        event->time_us = uptime_us;
        event->time_precision_us = 1;
    }
    (void) kernel_message_parse(scan_rest(&scan), &event->kernel);
    event->kernel.uptime_us = uptime_us;
    return true;
}

static bool parse_systemd(struct slice message, const struct log_context *context,
                          const struct stamp *stamp, struct log_event *event)
{
    (void) context;
    log_event_init(event, LOG_KERNEL);
    put_stamp(stamp, event);
    (void) systemd_message_parse(message, &event->kernel);
    return true;
}

/* With its own stamp (captured stderr) or as "[WARNING] [pool www] ..." (error_log = syslog) */
static bool parse_fpm(struct slice message, const struct log_context *context,
                      const struct stamp *stamp, struct log_event *event)
{
    struct scan scan = scan_of(message);
    struct slice level;

    if (fpm_log_parse(message, context, event))
        return true;
    if (!scan_byte(&scan, '[') || !scan_until(&scan, ']', &level) || !scan_byte(&scan, ' '))
        return false;
    log_event_init(event, LOG_FPM);
    put_stamp(stamp, event);
    fpm_message_parse(level, scan_rest(&scan), &event->fpm);
    return true;
}

static bool parse_nginx(struct slice message, const struct log_context *context,
                        const struct stamp *stamp, struct log_event *event)
{
    (void) stamp;
    return nginx_error_parse(message, context, event) ||
           (context->names && (access_json_parse(message, context, event) ||
                               access_combined_parse(message, context, event)));
}

static bool parse_varnishd(struct slice message, const struct log_context *context,
                           const struct stamp *stamp, struct log_event *event)
{
    log_event_init(event, LOG_VARNISHD);
    put_stamp(stamp, event);
    varnishd_message_parse(message, context, event);
    return true;
}

static const struct {
    struct slice prefix; /* of the program's name: "php-fpm8.2" */
    bool (*parse)(struct slice message, const struct log_context *context,
                  const struct stamp *stamp, struct log_event *event);
} programs[] = {
    {{"kernel", 6}, parse_kernel}, {{"systemd", 7}, parse_systemd},   {{"php-fpm", 7}, parse_fpm},
    {{"nginx", 5}, parse_nginx},   {{"varnishd", 8}, parse_varnishd},
};

enum { PROGRAMS_COUNT = sizeof programs / sizeof programs[0] };

bool system_log_knows(struct slice program)
{
    for (size_t i = 0; i < PROGRAMS_COUNT; i++)
        if (slice_starts(program, programs[i].prefix))
            return true;
    return false;
}

bool system_log_parse(struct slice record, const struct log_context *context,
                      struct log_event *ret_event)
{
    struct scan scan = scan_of(record);
    struct slice program;
    struct stamp stamp;

    if (!take_stamp(&scan, context, &stamp))
        return false;
    if (stamp.is_kernel)
        return parse_kernel(scan_rest(&scan), context, &stamp, ret_event);
    if (!take_program(&scan, &program))
        return false;
    for (size_t i = 0; i < PROGRAMS_COUNT; i++) {
        if (slice_starts(program, programs[i].prefix) &&
            programs[i].parse(scan_rest(&scan), context, &stamp, ret_event))
            return true;
    }
    log_event_init(ret_event, LOG_KERNEL);
    put_stamp(&stamp, ret_event);
    return true;
}
