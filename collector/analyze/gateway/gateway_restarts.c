/*
 * gateway_restarts.c - php-fpm's own words about reloads, stops and starts: joined with the
 * signals that the shim saw, or standing alone when there was no shim.
 */
#include "analyze/gateway/gateway_parts.h"

enum {
    SAME_US = 2 * SECOND_US,        /* a log line and the signals of one restart */
    SETTLE_US = SECOND_US,          /* connections are cut until the master has left */
    BEFORE_US = 100000,             /* a crash comes before the signals that it causes */
    CULPRIT_US = 120ll * SECOND_US, /* emergency_restart_interval is rarely longer */
    EPISODES_MAX = 4096,
};

/* One restart as the log tells it: from the line that announces it to the master's last one. */
struct episode {
    struct line_ref ref;
    int64_t from_us, to_us, precision_us;
    enum gateway_reason reason;
    bool open, matched;
};

struct reading {
    struct array episodes;
    int64_t down_us; /* -1, or since when php-fpm is gone */
};

static int compare_notes(const void *a, const void *b)
{
    const struct fpm_note *x = a, *y = b;

    if (x->time_us != y->time_us)
        return x->time_us < y->time_us ? -1 : 1;
    return x->ref.offset_bytes < y->ref.offset_bytes ? -1
                                                     : x->ref.offset_bytes > y->ref.offset_bytes;
}

/* The crash that made php-fpm give up on all workers: the last one before. */
static uint32_t culprit_of(const struct gateway *gateway, const struct restart *restart)
{
    const int64_t until_us = restart->from_us + (restart->from_events ? BEFORE_US : SAME_US);
    uint32_t best = NONE;
    int64_t best_us = restart->from_us - CULPRIT_US;

    for (size_t i = 0; i < gateway->deaths.count; i++) {
        const struct death *death = gateway_death(gateway, i);

        if (death_is_crash_signal(death->signo) && death->time_us >= best_us &&
            death->time_us <= until_us) {
            best = (uint32_t) i;
            best_us = death->time_us;
        }
    }
    return best;
}

/* ---- the log, line by line -------------------------------------------------------------------
 */

static struct episode *open_episode(const struct reading *reading)
{
    const size_t n = reading->episodes.count;
    struct episode *last = n > 0 ? array_at(&reading->episodes, n - 1) : NULL;

    return last && last->open ? last : NULL;
}

static void on_announced(struct reading *reading, const struct fpm_note *note,
                         enum gateway_reason reason)
{
    const struct episode *open = open_episode(reading);

    if (open && (open->reason == reason ||
                 (open->reason == REASON_EMERGENCY_RESTART && reason == REASON_RELOAD)))
        return;
    struct episode *episode = array_add(&reading->episodes);

    if (episode)
        *episode = (struct episode){.ref = note->ref,
                                    .from_us = note->time_us,
                                    .to_us = note->time_us + note->precision_us,
                                    .precision_us = note->precision_us,
                                    .reason = reason,
                                    .open = true};
}

/* The master leaves, or becomes its own successor: all workers are gone. */
static void on_over(struct reading *reading, const struct fpm_note *note)
{
    struct episode *open = open_episode(reading);

    if (!open)
        return;
    open->to_us = note->time_us + note->precision_us;
    open->open = false;
}

static void on_back(struct gateway *gateway, struct reading *reading, const struct fpm_note *note)
{
    struct span *span = reading->down_us >= 0 ? array_add(&gateway->spans) : NULL;

    if (span)
        *span = (struct span){SPAN_DOWN, 0, reading->down_us, note->time_us, 0};
    reading->down_us = -1;
}

static void read_note(struct gateway *gateway, const struct fpm_note *note, struct reading *reading)
{
    switch (note->what) {
    case FPM_EMERGENCY:
        on_announced(reading, note, REASON_EMERGENCY_RESTART);
        break;
    case FPM_RELOADING:
        on_announced(reading, note, REASON_RELOAD);
        break;
    case FPM_TERMINATING:
    case FPM_FINISHING:
        on_announced(reading, note, REASON_RESTART);
        break;
    case FPM_REEXEC:
        if (!open_episode(reading)) /* its beginning is in another file */
            on_announced(reading, note, REASON_RELOAD);
        on_over(reading, note);
        break;
    case FPM_BYE:
        on_over(reading, note);
        reading->down_us = note->time_us;
        break;
    case FPM_RUNNING:
    case FPM_READY:
        on_back(gateway, reading, note);
        break;
    default:
        break;
    }
}

/* ---- what the log tells and what the signals showed ------------------------------------------
 */

/* A reload's master comes back.  `strictly` not: its return may have been missed. */
static bool kinds_agree(const struct restart *restart, const struct episode *episode, bool strictly)
{
    const bool came_back = restart->reason == REASON_RELOAD;
    const bool shall_come_back = episode->reason != REASON_RESTART;

    return came_back == shall_come_back || (!strictly && !came_back);
}

static int64_t distance_us(const struct restart *restart, const struct episode *episode)
{
    if (restart->from_us < episode->from_us)
        return episode->from_us - restart->from_us;
    if (restart->from_us > episode->from_us + episode->precision_us)
        return restart->from_us - episode->from_us - episode->precision_us;
    return 0;
}

static void enrich(struct gateway *gateway, struct restart *restart, struct episode *episode)
{
    episode->matched = true;
    restart->line = episode->ref;
    restart->reason = episode->reason;
    if (restart->reason == REASON_EMERGENCY_RESTART)
        restart->culprit = culprit_of(gateway, restart);
}

/* Each restart that the signals showed has one episode: in one second the first has the first. */
static void match_episode(struct gateway *gateway, struct episode *episode, bool strictly)
{
    struct restart *best = NULL;

    for (size_t i = 0; i < gateway->restarts.count; i++) {
        struct restart *restart = GATEWAY_AT(gateway, restarts, restart, i);
        const int64_t away_us = distance_us(restart, episode);

        if (restart->from_events && restart->line.file < 0 && away_us <= SAME_US &&
            kinds_agree(restart, episode, strictly) &&
            (!best || away_us < distance_us(best, episode)))
            best = restart;
    }
    if (best)
        enrich(gateway, best, episode);
}

/* No shim was there, or nobody had to be told twice (a reload that waits). */
static void add_episode(struct gateway *gateway, struct episode *episode)
{
    struct restart *restart = array_add(&gateway->restarts);

    if (!restart)
        return;
    *restart = (struct restart){.from_us = episode->from_us,
                                .to_us = episode->to_us,
                                .precision_us = episode->precision_us,
                                .culprit = NONE};
    enrich(gateway, restart, episode);
}

static void match_episodes(struct gateway *gateway, const struct array *episodes)
{
    for (int strictly = 1; strictly >= 0; strictly--)
        for (size_t i = 0; i < episodes->count; i++) {
            struct episode *episode = array_at(episodes, i);

            if (!episode->matched)
                match_episode(gateway, episode, strictly);
        }
    for (size_t i = 0; i < episodes->count; i++) {
        struct episode *episode = array_at(episodes, i);

        if (!episode->matched)
            add_episode(gateway, episode);
    }
}

void restarts_complete(struct gateway *gateway)
{
    struct reading reading = {.down_us = -1};

    array_init(&reading.episodes, sizeof(struct episode), EPISODES_MAX);
    array_sort(&gateway->fpm_notes, compare_notes);
    for (size_t i = 0; i < gateway->fpm_notes.count; i++)
        read_note(gateway, GATEWAY_AT(gateway, fpm_notes, fpm_note, i), &reading);
    match_episodes(gateway, &reading.episodes);
    array_release(&reading.episodes);
    struct span *span = reading.down_us >= 0 ? array_add(&gateway->spans) : NULL;

    if (span)
        *span = (struct span){SPAN_DOWN, 0, reading.down_us, INT64_MAX, 0};
}

uint32_t restarts_at(const struct gateway *gateway, int64_t time_us, int64_t precision_us)
{
    uint32_t last = NONE;

    for (size_t i = 0; i < gateway->restarts.count; i++) {
        const struct restart *restart = GATEWAY_AT(gateway, restarts, restart, i);

        if (time_us + precision_us >= restart->from_us &&
            time_us <= restart->to_us + restart->precision_us + SETTLE_US &&
            (last == NONE ||
             restart->from_us > GATEWAY_AT(gateway, restarts, restart, last)->from_us))
            last = (uint32_t) i;
    }
    return last;
}

uint32_t spans_at(const struct gateway *gateway, enum span_kind kind, text_id pool, int64_t time_us,
                  int64_t precision_us)
{
    for (size_t i = 0; i < gateway->spans.count; i++) {
        const struct span *span = GATEWAY_AT(gateway, spans, span, i);

        if (span->kind == kind && (span->pool == 0 || span->pool == pool) &&
            time_us + precision_us >= span->from_us && time_us <= span->to_us)
            return (uint32_t) i;
    }
    return NONE;
}
