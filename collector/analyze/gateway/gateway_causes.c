/*
 * gateway_causes.c - why each worker died, from what the witnesses say together and the restarts
 * that were going on.
 */
#include "analyze/gateway/gateway_parts.h"

enum { OBEYED_US = 15 * SECOND_US /* from the master's signal to the end that it caused */ };

static bool signalled_by_master(const struct death *death)
{
    return death->master_signal && death->master_signal == death->signo &&
           death->time_us - death->master_signal_us < OBEYED_US;
}

static bool is_planned_signal(int signo)
{
    return signo == 3 || signo == 9 || signo == 15;
}

static enum death_cause cause_of(struct gateway *gateway, struct death *death)
{
    if (death->cause == DEATH_LOST)
        return death->oom != NONE ? DEATH_OOM : DEATH_LOST;
    if (death->timeout_line.file >= 0)
        return DEATH_TIMEOUT;
    if (death_is_crash_signal(death->signo)) {
        bool sent = death->has_crash && death->si_code <= 0 && death->sender > 0 &&
                    death->sender != death->pid;

        return sent ? DEATH_KILLED : DEATH_CRASH;
    }
    if (death->restart != NONE && death->master_signal)
        return DEATH_RESTART;
    if (death->oom != NONE)
        return DEATH_OOM;
    if (signalled_by_master(death))
        return death->signo == 15 ? DEATH_TIMEOUT : DEATH_RESTART;
    if (!death->from_events && is_planned_signal(death->signo)) {
        death->restart = restarts_at(gateway, death->time_us, death->precision_us);
        if (death->restart != NONE)
            return DEATH_RESTART;
    }
    if (death->signo > 0)
        return DEATH_KILLED;
    return death->exit_code > 0 || (death->exit_code == 0 && death->in_request) ? DEATH_EXITED
                                                                                : DEATH_UNKNOWN;
}

static enum gateway_killer killer_of(const struct death *death)
{
    switch (death->cause) {
    case DEATH_CRASH:
    case DEATH_EXITED:
        return KILLER_SELF;
    case DEATH_OOM:
        return KILLER_KERNEL;
    case DEATH_TIMEOUT:
    case DEATH_RESTART:
        return KILLER_MASTER;
    case DEATH_LOST:
        return KILLER_OUTSIDE;
    case DEATH_KILLED:
        /* PHP's handler of SIGTERM sends it on to itself: no proof of suicide. */
        return death->self_signal && death->signo != 15 ? KILLER_SELF : KILLER_OUTSIDE;
    default:
        return KILLER_NONE;
    }
}

void deaths_find_causes(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->deaths.count; i++) {
        struct death *death = gateway_death(gateway, i);

        death->cause = cause_of(gateway, death);
        death->killer = killer_of(death);
    }
}
