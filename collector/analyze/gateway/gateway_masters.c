/*
 * gateway_masters.c - php-fpm's master kills its own workers for two reasons: one request ran too
 * long (SIGTERM to that worker), or all must go (stop, restart, reload).  This tells them apart.
 *
 * "All must go" shows itself in the burst of signals: SIGQUIT and SIGTERM, or SIGTERM and SIGKILL,
 * within microseconds of each other (or, with process_control_timeout, to the same worker later),
 * or a SIGTERM for a worker that served nobody.  Measured on php-fpm 8.2.
 */
#include "analyze/gateway/gateway_parts.h"

enum {
    BURST_GAP_US = 200000,        /* signals of one decision follow each other closer */
    REAP_US = 5ll * SECOND_US,    /* a signalled worker is reaped within this */
    RELOAD_US = 60ll * SECOND_US, /* a reloading master is back within this */
    BURSTS_MAX = 1024,
};

/* The last signals of one master. */
struct burst {
    int64_t master, from_us, last_us;
    unsigned signals; /* bit SIGx */
    bool idle_target, escalated;
    uint32_t restart; /* NONE: not (yet) recognised as one */
};

/* A busy host spreads the signals of one restart over many bursts, and process_control_timeout over
 * seconds.  It goes on until the master is back. */
static uint32_t restart_going_on(const struct gateway *gateway, int64_t master, int64_t now_us)
{
    for (size_t i = gateway->restarts.count; i-- > 0;) {
        const struct restart *restart = GATEWAY_AT(gateway, restarts, restart, i);

        if (restart->master == master && restart->from_events)
            return restart->reason == REASON_RESTART && now_us - restart->to_us < RELOAD_US
                       ? (uint32_t) i
                       : NONE;
    }
    return NONE;
}

static struct burst *burst_of(struct gateway *gateway, int64_t master, int64_t now_us)
{
    struct burst *burst = NULL;

    for (size_t i = 0; i < gateway->bursts.count && !burst; i++) {
        burst = array_at(&gateway->bursts, i);
        if (burst->master != master)
            burst = NULL;
    }
    if (!burst) {
        if (gateway->bursts.limit == 0)
            array_init(&gateway->bursts, sizeof(struct burst), BURSTS_MAX);
        burst = array_add(&gateway->bursts);
        if (!burst)
            return NULL;
        *burst = (struct burst){.master = master, .last_us = INT64_MIN / 2};
    }
    if (now_us - burst->last_us > BURST_GAP_US)
        *burst = (struct burst){.master = master,
                                .from_us = now_us,
                                .restart = restart_going_on(gateway, master, now_us)};
    burst->last_us = now_us;
    return burst;
}

static bool is_restart(const struct burst *burst)
{
    const unsigned quit = 1u << 3, kill = 1u << 9, term = 1u << 15;
    unsigned seen = burst->signals;

    if (!(seen & (kill | term)))
        return false; /* SIGQUIT alone lets requests finish */
    return burst->idle_target || burst->escalated || (seen & quit) ||
           (seen & (kill | term)) == (kill | term);
}

void masters_on_kill(struct gateway *gateway, const struct event *kill, bool target_idle,
                     int64_t earlier_signal)
{
    int64_t master = kill->pid;

    if (kill->sig != 3 && kill->sig != 9 && kill->sig != 15)
        return;
    struct burst *burst = burst_of(gateway, master, kill->ts_us);

    if (!burst)
        return;
    burst->signals |= 1u << kill->sig;
    burst->idle_target |= target_idle && kill->sig != 3;
    burst->escalated |= (kill->sig == 15 && earlier_signal == 3) ||
                        (kill->sig == 9 && (earlier_signal == 3 || earlier_signal == 15));
    if (!is_restart(burst))
        return;
    struct restart *restart;

    if (burst->restart == NONE) {
        restart = array_add(&gateway->restarts);
        if (!restart)
            return;
        burst->restart = (uint32_t) gateway->restarts.count - 1;
        *restart = (struct restart){.from_us = burst->from_us,
                                    .master = master,
                                    .reason = REASON_RESTART,
                                    .from_events = true,
                                    .culprit = NONE,
                                    .line = {.file = -1}};
    }
    restart = GATEWAY_AT(gateway, restarts, restart, burst->restart);
    restart->to_us = kill->ts_us;
}

void masters_on_start(struct gateway *gateway, int64_t master, int64_t time_us)
{
    for (size_t i = gateway->restarts.count; i-- > 0;) {
        struct restart *restart = GATEWAY_AT(gateway, restarts, restart, i);

        if (restart->master == master && restart->from_events &&
            time_us - restart->to_us < RELOAD_US) {
            restart->reason = REASON_RELOAD; /* the same process again */
            return;
        }
    }
}

uint32_t masters_restart_of(const struct gateway *gateway, int64_t master, int64_t time_us)
{
    for (size_t i = gateway->restarts.count; i-- > 0;) {
        const struct restart *restart = GATEWAY_AT(gateway, restarts, restart, i);

        if (restart->master == master && restart->from_events && time_us >= restart->from_us &&
            time_us <= restart->to_us + REAP_US)
            return (uint32_t) i;
    }
    return NONE;
}
