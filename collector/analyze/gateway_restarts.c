/*
 * gateway_restarts.c - php-fpm's own words about reloads, stops and starts: joined with the
 * signals that the shim saw, or standing alone when there was no shim.
 */
#include <stdlib.h>

#include "analyze/gateway_parts.h"

enum {
    SAME_US = 2 * SECOND_US,        /* a log line and the signals of one restart */
    SETTLE_US = SECOND_US,          /* connections are cut until the master has left */
    EMERGENCY_US = 5 * SECOND_US,   /* from "threshold reached" to "reloading" */
    CULPRIT_US = 120ll * SECOND_US, /* emergency_restart_interval is rarely longer */
};

static int compare_notes(const void *a, const void *b)
{
    const struct fpm_note *x = a, *y = b;

    if (x->time_us != y->time_us)
        return x->time_us < y->time_us ? -1 : 1;
    return x->ref.offset_bytes < y->ref.offset_bytes ? -1
                                                     : x->ref.offset_bytes > y->ref.offset_bytes;
}

/* The restart that `note` speaks of: one that the signals showed, or a new one. */
static struct restart *restart_of(struct gateway *gateway, const struct fpm_note *note)
{
    for (size_t i = gateway->restarts.count; i-- > 0;) {
        struct restart *restart = GATEWAY_AT(gateway, restarts, restart, i);

        if (llabs(restart->from_us - note->time_us) <= SAME_US)
            return restart;
    }
    struct restart *restart = array_add(&gateway->restarts);

    if (restart)
        *restart = (struct restart){.from_us = note->time_us,
                                    .to_us = note->time_us + note->precision_us,
                                    .precision_us = note->precision_us,
                                    .reason = REASON_RESTART,
                                    .culprit = NONE,
                                    .line = {.file = -1}};
    return restart;
}

/* The crash that made php-fpm give up on all workers: the last one before. */
static uint32_t culprit_before(const struct gateway *gateway, int64_t time_us)
{
    uint32_t best = NONE;
    int64_t best_us = time_us - CULPRIT_US;

    for (size_t i = 0; i < gateway->deaths.count; i++) {
        const struct death *death = GATEWAY_AT(gateway, deaths, death, i);

        if (death_is_crash_signal(death->signo) && death->time_us >= best_us &&
            death->time_us <= time_us + SAME_US) {
            best = (uint32_t) i;
            best_us = death->time_us;
        }
    }
    return best;
}

struct reading {
    int64_t emergency_us; /* last "threshold reached" */
    int64_t down_us;      /* -1, or since when php-fpm is gone */
};

static void read_restart(struct gateway *gateway, const struct fpm_note *note,
                         const struct reading *reading)
{
    struct restart *restart = restart_of(gateway, note);

    if (!restart)
        return;
    if (restart->line.file < 0)
        restart->line = note->ref;
    if (note->what == FPM_RELOADING && restart->reason == REASON_RESTART)
        restart->reason = REASON_RELOAD;
    if (note->what != FPM_TERMINATING && note->what != FPM_FINISHING &&
        note->time_us - reading->emergency_us <= EMERGENCY_US) {
        restart->reason = REASON_EMERGENCY_RESTART;
        restart->culprit = culprit_before(gateway, restart->from_us);
    }
    if (restart->to_us < note->time_us + note->precision_us && !restart->from_events)
        restart->to_us = note->time_us + note->precision_us;
}

static void read_note(struct gateway *gateway, const struct fpm_note *note, struct reading *reading)
{
    struct span *span;

    switch (note->what) {
    case FPM_EMERGENCY:
        reading->emergency_us = note->time_us;
        break;
    case FPM_RELOADING:
    case FPM_TERMINATING:
    case FPM_FINISHING:
        read_restart(gateway, note, reading);
        break;
    case FPM_BYE:
        reading->down_us = note->time_us;
        break;
    case FPM_RUNNING:
    case FPM_READY:
        if (reading->down_us < 0)
            break;
        span = array_add(&gateway->spans);
        if (span)
            *span = (struct span){SPAN_DOWN, reading->down_us, note->time_us, 0, true};
        reading->down_us = -1;
        break;
    default:
        break;
    }
}

void restarts_complete(struct gateway *gateway)
{
    struct reading reading = {.emergency_us = INT64_MIN / 2, .down_us = -1};

    if (gateway->fpm_notes.count > 1)
        qsort(gateway->fpm_notes.items, gateway->fpm_notes.count, sizeof(struct fpm_note),
              compare_notes);
    for (size_t i = 0; i < gateway->fpm_notes.count; i++)
        read_note(gateway, GATEWAY_AT(gateway, fpm_notes, fpm_note, i), &reading);
    struct span *span = reading.down_us >= 0 ? array_add(&gateway->spans) : NULL;

    if (span)
        *span = (struct span){SPAN_DOWN, reading.down_us, INT64_MAX, 0, true};
}

uint32_t restarts_at(const struct gateway *gateway, int64_t time_us, int64_t precision_us)
{
    for (size_t i = 0; i < gateway->restarts.count; i++) {
        const struct restart *restart = GATEWAY_AT(gateway, restarts, restart, i);

        if (time_us + precision_us >= restart->from_us &&
            time_us <= restart->to_us + restart->precision_us + SETTLE_US)
            return (uint32_t) i;
    }
    return NONE;
}

uint32_t spans_at(const struct gateway *gateway, enum span_kind kind, int64_t time_us,
                  int64_t precision_us)
{
    for (size_t i = 0; i < gateway->spans.count; i++) {
        const struct span *span = GATEWAY_AT(gateway, spans, span, i);

        if (span->kind == kind && time_us + precision_us >= span->from_us && time_us <= span->to_us)
            return (uint32_t) i;
    }
    return NONE;
}
