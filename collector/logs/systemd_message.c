/*
 * systemd_message.c - what systemd says about a unit: killed by the OOM killer, ended by a signal,
 * restarted, reloaded.
 */
#include "logs/parsers.h"
#include "logs/scan.h"

/* "php8.2-fpm.service: REST" */
static bool parse_about_unit(struct slice message, struct log_kernel *kernel)
{
    struct scan scan = scan_of(message), status;
    struct slice unit, rest;

    if (!scan_until(&scan, ':', &unit) || slice_index(unit, ' ') >= 0 || !scan_byte(&scan, ' '))
        return false;
    rest = scan_rest(&scan);
    kernel->unit = unit;
    if (slice_find(rest, SLICE("killed by the OOM killer")) >= 0 ||
        slice_find(rest, SLICE("result 'oom-kill'")) >= 0) {
        kernel->what = KERNEL_UNIT_OOM;
        return true;
    }
    if (slice_starts(rest, SLICE("Scheduled restart job"))) {
        kernel->what = KERNEL_UNIT_RESTART;
        return true;
    }
    status = scan_of(rest);
    if (!slice_starts(rest, SLICE("Main process exited")) || !scan_past(&status, SLICE("status=")))
        return false;
    kernel->what = KERNEL_UNIT_EXITED;
    if (slice_find(rest, SLICE("code=exited")) < 0)
        (void) scan_small(&status, &kernel->signo);
    return true;
}

/* "Reloading php8.2-fpm.service - The PHP 8.2 ...", "Stopping The PHP 7.4 FastCGI Process Manager."
 */
static bool parse_job(struct slice message, struct log_kernel *kernel)
{
    static const struct {
        enum log_kernel_what what;
        struct slice verb;
    } verbs[] = {
        {KERNEL_UNIT_RELOAD, {"Reloading ", 10}},   {KERNEL_UNIT_RELOAD, {"Reloaded ", 9}},
        {KERNEL_UNIT_RESTART, {"Starting ", 9}},    {KERNEL_UNIT_RESTART, {"Started ", 8}},
        {KERNEL_UNIT_RESTART, {"Stopping ", 9}},    {KERNEL_UNIT_RESTART, {"Stopped ", 8}},
        {KERNEL_UNIT_RESTART, {"Restarting ", 11}},
    };

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        struct scan scan = scan_of(message);
        ptrdiff_t dash;

        if (!scan_text(&scan, verbs[i].verb))
            continue;
        dash = slice_find(scan_rest(&scan), SLICE(" - "));
        kernel->what = verbs[i].what;
        kernel->unit = dash < 0 ? scan_rest(&scan) : slice_head(scan_rest(&scan), (size_t) dash);
        return true;
    }
    return false;
}

/* systemd-oomd: "Killed /system.slice/php8.2-fpm.service due to memory used ..." */
static bool parse_oomd(struct slice message, struct log_kernel *kernel)
{
    struct scan scan = scan_of(message);

    if (!scan_text(&scan, SLICE("Killed /")) || !scan_token(&scan, &kernel->unit) ||
        !scan_text(&scan, SLICE(" due to memory")))
        return false;
    kernel->what = KERNEL_UNIT_OOM;
    return true;
}

bool systemd_message_parse(struct slice message, struct log_kernel *ret_kernel)
{
    const struct log_kernel blank = *ret_kernel;

    if (parse_oomd(message, ret_kernel))
        return true;
    *ret_kernel = blank;
    if (parse_about_unit(message, ret_kernel))
        return true;
    *ret_kernel = blank;
    return parse_job(message, ret_kernel);
}
