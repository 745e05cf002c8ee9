/*
 * gateway_clock.c - does this log's clock agree with the others?
 *
 * Some entries speak of the same thing in two sources.  Each such pair votes for a difference; when
 * most entries agree on one that is not zero, the whole source is off by it: a log in another time
 * zone, a host without NTP.
 *
 * The reference is the event stream, else the access logs; a source that has been compared becomes
 * part of the reference for the next.
 */
#include "analyze/gateway/gateway_clock.h"

#include <stddef.h>
#include <stdlib.h>

/* Every time that a log gave, by where it is in the engine. */
struct timed {
    size_t list, ref, time;
};
#define TIMED(list, type, field)                                                                   \
    {                                                                                              \
        offsetof(struct gateway, list), offsetof(struct type, ref), offsetof(struct type, field)   \
    }
static const struct timed timed[] = {
    TIMED(hops, hop, end_us),
    TIMED(faults, fault, time_us),
    TIMED(fpm_notes, fpm_note, time_us),
    TIMED(kernel_crashes, kernel_crash, time_us),
    TIMED(ooms, oom, time_us),
    TIMED(php_ends, php_end, time_us),
    TIMED(fetches, fetch, start_us),
    TIMED(fetches, fetch, end_us),
    TIMED(varnish_notes, varnish_note, time_us),
};

static void shift_source(struct gateway *gateway, int file, int64_t shift_us)
{
    for (size_t i = 0; i < sizeof timed / sizeof timed[0]; i++) {
        const struct array *list = (const void *) ((const char *) gateway + timed[i].list);

        for (size_t k = 0; k < list->count; k++) {
            char *item = array_at(list, k);
            const struct line_ref *ref = (const void *) (item + timed[i].ref);
            int64_t *time_us = (void *) (item + timed[i].time);

            if (ref->file == file && *time_us >= 0)
                *time_us += shift_us;
        }
    }
}

/* Do the source's own stamps and those it was compared with share any stretch of time? */
static bool overlaps(const struct gateway *gateway, int file, const struct array *reference)
{
    int64_t from_us = INT64_MAX, to_us = INT64_MIN;

    for (size_t i = 0; i < reference->count; i++) {
        int64_t time_us = ((const struct sample *) array_at(reference, i))->time_us;

        from_us = time_us < from_us ? time_us : from_us;
        to_us = time_us > to_us ? time_us : to_us;
    }
    return gateway->file_from_us[file] <= to_us && gateway->file_to_us[file] >= from_us;
}

/* The difference as a zone would make it, or 0 when no zone does. */
static int64_t as_zone_us(int64_t difference_us)
{
    int64_t quarter_us = 900ll * SECOND_US; /* zones differ by quarters of an hour */
    int64_t quarters =
        (difference_us + (difference_us < 0 ? -quarter_us : quarter_us) / 2) / quarter_us;

    return llabs(difference_us - quarters * quarter_us) < 2 * AGREE_US ? quarters * quarter_us : 0;
}

/* One entry a source: what was suspected first may be sure later. */
static void note_clock(struct gateway *gateway, struct gateway_clock found)
{
    struct gateway_clock *clock = NULL;

    for (size_t i = 0; i < gateway->clocks.count && !clock; i++) {
        clock = array_at(&gateway->clocks, i);
        clock = clock->file == found.file && !clock->corrected ? clock : NULL;
    }
    clock = clock ? clock : array_add(&gateway->clocks);
    if (clock)
        *clock = found;
}

/*
 * Sure: another zone, when all or nearly all agree; any other difference, when many agree and the
 * logs are of the same time (an older log with the same failures is no log with a wrong clock); or
 * pids or request ids say so.
 */
static void judge_source(struct gateway *gateway, int file, const struct clock_verdict *verdict,
                         bool same_time)
{
    int64_t shift_us = verdict->difference_us, zone_us = as_zone_us(shift_us);

    if (verdict->agree == 0 || verdict->at_zero * 2 >= verdict->agree ||
        llabs(shift_us) <= AGREE_US || verdict->agree * 10 < verdict->matched * 6)
        return;
    bool zone_sure = zone_us && verdict->agree >= 2 && verdict->agree * 10 >= verdict->matched * 9;
    bool drift_sure = same_time && verdict->agree >= 3;
    /* A pid may come again: one that agrees is a proof only when there is nothing else. */
    bool id_sure =
        verdict->strong && (verdict->agree >= 2 || (zone_us && verdict->samples == verdict->agree));
    bool sure = zone_sure || drift_sure || id_sure;

    bool worth_saying = zone_us || (verdict->agree >= 3 && verdict->agree == verdict->samples);

    if (!sure && !worth_saying)
        return;
    shift_us = zone_us ? zone_us : shift_us;
    note_clock(gateway, (struct gateway_clock){file, shift_us, verdict->agree, sure});
    if (!sure)
        return;
    gateway->clock_shift_us[file] += shift_us;
    shift_source(gateway, file, shift_us);
}

static void estimate_source(struct gateway *gateway, enum sample_source source, int file,
                            struct array *reference)
{
    struct array samples;

    array_init(&samples, sizeof(struct sample), SAMPLES_MAX);
    samples_of_file(gateway, source, file, &samples);
    if (samples.count > 0 && reference->count > 0) {
        struct clock_verdict verdict = votes_count(&samples, reference, source);

        judge_source(gateway, file, &verdict, overlaps(gateway, file, reference));
    }
    samples.count = 0;
    samples_of_file(gateway, source, file, &samples); /* again: now on the corrected clock */
    for (size_t i = 0; i < samples.count; i++) {
        struct sample *kept = array_add(reference);

        if (kept)
            *kept = *(const struct sample *) array_at(&samples, i);
    }
    samples_sort(reference);
    array_release(&samples);
}

void clocks_estimate(struct gateway *gateway)
{
    struct array reference;

    array_init(&reference, sizeof(struct sample), (size_t) SAMPLES_MAX * 8);
    samples_of_deaths(gateway, &reference);
    samples_sort(&reference);
    for (enum sample_source source = FROM_HOPS; source < SAMPLE_SOURCES; source++)
        for (int file = 0; file < GATEWAY_FILES_MAX; file++)
            if (gateway->file_seen[file])
                estimate_source(gateway, source, file, &reference);
    array_release(&reference);
}
