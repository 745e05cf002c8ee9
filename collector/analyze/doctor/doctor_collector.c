/* doctor_collector.c - does somebody collect, does what is collected arrive. */
#include "analyze/doctor/doctor.h"

#include <stdio.h>

enum {
    QUIET_US = 600 * 1000000
}; /* ten minutes without an event: nobody collects, or no traffic */

static const char *or_unknown(const char *text)
{
    return text ? text : "?";
}

/* Some master has the shim: somebody wants to collect. */
static bool is_watched(const struct doctor_host *host)
{
    for (size_t i = 0; i < host->masters.count; i++)
        if (doctor_master_at(host, i)->shim == 1)
            return true;
    return false;
}

void doctor_check_collector(const struct doctor_host *host, struct doctor_finding *finding)
{
    const struct doctor_collector *collector = &host->collector;

    if (collector->reachable) {
        doctor_say(finding, "%s accepts connections", or_unknown(collector->socket));
        return;
    }
    if (collector->denied) {
        doctor_skip(finding, "%s: %s (run as the collector's user, or root)",
                    or_unknown(collector->socket), or_unknown(collector->socket_problem));
        return;
    }
    doctor_raise(finding, is_watched(host) ? DOCTOR_FAIL : DOCTOR_WARN, "%s: %s",
                 or_unknown(collector->socket), or_unknown(collector->socket_problem));
    if (is_watched(host))
        doctor_say(finding, "workers have the library and nobody to speak to");
    doctor_fix(finding, "fpmscope collect &    # or a unit of its own; it listens on %s",
               or_unknown(collector->socket));
}

static const char *age(int64_t age_us, char *buf, size_t cap)
{
    const int64_t seconds = age_us / 1000000;

    if (seconds < 120)
        snprintf(buf, cap, "%lld s", (long long) seconds);
    else if (seconds < 7200)
        snprintf(buf, cap, "%lld min", (long long) seconds / 60);
    else
        snprintf(buf, cap, "%lld h", (long long) seconds / 3600);
    return buf;
}

void doctor_check_store(const struct doctor_host *host, struct doctor_finding *finding)
{
    const struct doctor_collector *collector = &host->collector;
    char old[32], size[DOCTOR_AMOUNT_BYTES];

    if (!collector->has_store && collector->denied) {
        doctor_skip(finding, "%s", or_unknown(collector->store_problem));
        return;
    }
    if (!collector->has_store) {
        doctor_raise(finding, is_watched(host) ? DOCTOR_FAIL : DOCTOR_WARN, "%s",
                     or_unknown(collector->store_problem));
        doctor_fix(finding, "fpmscope collect --data %s", or_unknown(collector->data));
        return;
    }
    if (collector->newest_age_us < 0) {
        doctor_raise(finding, DOCTOR_WARN, "the store in %s has no event yet",
                     or_unknown(collector->data));
        doctor_fix(finding, "send a request through php-fpm, then ask again; if it stays empty see "
                            "shim_loaded and collector");
        return;
    }
    doctor_raise(finding, collector->newest_age_us > QUIET_US ? DOCTOR_WARN : DOCTOR_OK,
                 "%s: %s, the newest event is %s old", or_unknown(collector->data),
                 doctor_amount(collector->store_bytes, size, sizeof size),
                 age(collector->newest_age_us, old, sizeof old));
    if (collector->newest_age_us > QUIET_US)
        doctor_fix(finding, "no traffic, or nobody collects: see shim_loaded and collector");
}

void doctor_check_recorder(const struct doctor_host *host, struct doctor_finding *finding)
{
    const struct doctor_collector *collector = &host->collector;

    if (!collector->pages_exist) {
        if (is_watched(host) && collector->reachable) {
            doctor_raise(finding, DOCTOR_WARN,
                         "%s does not exist: deaths by SIGKILL lose their "
                         "request",
                         or_unknown(collector->pages));
            doctor_fix(finding, "restart php-fpm while the collector runs");
        } else {
            doctor_skip(finding, "%s is made when the collector starts",
                        or_unknown(collector->pages));
        }
        return;
    }
    doctor_raise(finding, collector->pages_on_tmpfs ? DOCTOR_OK : DOCTOR_WARN, "%s is%s on tmpfs",
                 or_unknown(collector->pages), collector->pages_on_tmpfs ? "" : " not");
    if (!collector->pages_on_tmpfs)
        doctor_fix(finding,
                   "FPMSCOPE_PAGES=/dev/shm/fpmscope/pages for collector and php-fpm: on a "
                   "disk each page costs writes");
}
