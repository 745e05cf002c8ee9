/*
 * gateway_clock.c - does this log's clock agree with the others?
 *
 * Some entries speak of the same thing in two sources: a pid that died, a request id, a URI that
 * failed.  Each such pair votes for a difference; when most entries agree on one that is not zero,
 * the whole source is off by it: a log in another time zone, a host without NTP.
 *
 * The reference is the event stream, else the access logs; a source that has been compared becomes
 * part of the reference for the next.
 */
#include <stddef.h>
#include <stdlib.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    SAMPLES_MAX = 20000, /* of one source */
    PARTNERS_MAX = 64,   /* entries of the reference for one sample */
    AGREE_US = 2500000,  /* differences of one clock lie within this */
    REACH_HOURS = 26,    /* no two zones are further apart */
};

enum { FROM_EVENTS = -1 };
enum sample_kind { BY_PID = 1, BY_URI, BY_ID, BY_RESET, BY_ERROR_500 };

struct sample {
    uint64_t key;
    int64_t time_us;
    int source;  /* which sampler: sources of one kind are never compared */
    bool strong; /* one agreeing sample of this kind says a lot */
};

struct vote {
    int64_t difference_us;
    uint32_t sample;
};

static uint64_t key_of(enum sample_kind kind, uint64_t value)
{
    return idmap_mix(value) ^ idmap_mix((uint64_t) kind << 56);
}

static void add(struct array *samples, uint64_t key, int64_t time_us, bool strong)
{
    struct sample *sample = time_us >= 0 ? array_add(samples) : NULL;

    if (sample)
        *sample = (struct sample){key, time_us, FROM_EVENTS, strong};
}

static uint64_t uri_key(text_id method, text_id uri)
{
    return key_of(BY_URI, (uint64_t) method << 32 | uri);
}

static void sample_deaths(const struct gateway *gateway, struct array *samples)
{
    for (size_t i = 0; i < gateway->deaths.count; i++) {
        const struct death *death = gateway_death(gateway, i);
        const struct served *request = &death->request;

        if (death->cause == DEATH_LOST)
            continue;
        add(samples, key_of(BY_PID, (uint64_t) death->pid), death->time_us, true);
        if (!request->method)
            continue;
        add(samples, uri_key(request->method, request->uri), death->time_us, false);
        add(samples, key_of(BY_RESET, 0), death->time_us, false);
        if (request->request_id)
            add(samples, key_of(BY_ID, request->request_id), death->time_us, true);
    }
}

static void sample_hops(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->hops.count; i++) {
        const struct hop *hop = gateway_hop(gateway, i);

        if (hop->ref.file != file)
            continue;
        add(samples, uri_key(hop->method, hop->uri), hop->end_us, false);
        if (hop->request_id)
            add(samples, key_of(BY_ID, hop->request_id), hop->end_us, true);
        if (hop->status == 500)
            add(samples, key_of(BY_ERROR_500, 0), hop->end_us, false);
    }
}

static void sample_faults(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->faults.count; i++) {
        const struct fault *fault = GATEWAY_AT(gateway, faults, fault, i);

        if (fault->ref.file != file)
            continue;
        add(samples, uri_key(fault->method, fault->uri), fault->time_us, false);
        if (fault->cause == NGINX_RESET && fault->fastcgi)
            add(samples, key_of(BY_RESET, 0), fault->time_us, false);
    }
}

static void sample_fpm(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->fpm_notes.count; i++) {
        const struct fpm_note *note = GATEWAY_AT(gateway, fpm_notes, fpm_note, i);

        if (note->ref.file != file ||
            (note->what != FPM_CHILD_SIGNAL && note->what != FPM_CHILD_EXIT))
            continue;
        add(samples, key_of(BY_PID, (uint64_t) note->pid), note->time_us, true);
        add(samples, key_of(BY_RESET, 0), note->time_us, false);
    }
}

static void sample_kernel(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->kernel_crashes.count; i++) {
        const struct kernel_crash *crash = GATEWAY_AT(gateway, kernel_crashes, kernel_crash, i);

        if (crash->ref.file == file)
            add(samples, key_of(BY_PID, (uint64_t) crash->pid), crash->time_us, true);
    }
    for (size_t i = 0; i < gateway->ooms.count; i++) {
        const struct oom *oom = GATEWAY_AT(gateway, ooms, oom, i);

        if (oom->ref.file == file)
            add(samples, key_of(BY_PID, (uint64_t) oom->pid), oom->time_us, true);
    }
}

static void sample_php(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->php_ends.count; i++) {
        const struct php_end *end = GATEWAY_AT(gateway, php_ends, php_end, i);

        if (end->ref.file == file)
            add(samples, key_of(BY_ERROR_500, 0), end->time_us, false);
    }
}

static void sample_fetches(const struct gateway *gateway, int file, struct array *samples)
{
    for (size_t i = 0; i < gateway->fetches.count; i++) {
        const struct fetch *fetch = GATEWAY_AT(gateway, fetches, fetch, i);

        if (fetch->ref.file == file)
            add(samples, uri_key(fetch->method, fetch->uri), fetch->end_us, false);
    }
}

typedef void (*sampler)(const struct gateway *, int file, struct array *);

/* In the order in which they are compared; each may lean on the ones before. */
static const sampler samplers[] = {
    sample_hops, sample_faults, sample_fpm, sample_kernel, sample_php, sample_fetches,
};

static int compare_samples(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

static int compare_votes(const void *a, const void *b)
{
    const struct vote *x = a, *y = b;

    return x->difference_us < y->difference_us ? -1 : x->difference_us > y->difference_us;
}

/* The first entry of the reference that is not below `bound`. */
static size_t first_of(const struct array *reference, const struct sample *bound)
{
    size_t low = 0, high = reference->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (compare_samples(array_at(reference, middle), bound) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where to begin: of a key with many entries only those nearest in time are compared. */
static size_t first_partner(const struct array *reference, const struct sample *sample)
{
    const struct sample begin = {.key = sample->key, .time_us = INT64_MIN};
    const struct sample end = {.key = sample->key, .time_us = INT64_MAX};
    size_t from = first_of(reference, &begin), to = first_of(reference, &end);
    size_t near = first_of(reference, sample);

    if (to - from <= PARTNERS_MAX || near < from + PARTNERS_MAX / 2)
        return from;
    return near - PARTNERS_MAX / 2;
}

/* Every difference between a sample and its partners in the (sorted) reference. */
static void collect_votes(const struct array *samples, const struct array *reference, int source,
                          struct array *votes)
{
    const int64_t reach_us = REACH_HOURS * 3600ll * SECOND_US;

    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = array_at(samples, i);
        size_t at = first_partner(reference, sample);

        for (size_t n = 0; at < reference->count && n < PARTNERS_MAX; at++, n++) {
            const struct sample *partner = array_at(reference, at);
            int64_t difference_us = partner->time_us - sample->time_us;

            if (partner->key != sample->key)
                break;
            struct vote *vote = partner->source != source && llabs(difference_us) <= reach_us
                                    ? array_add(votes)
                                    : NULL;

            if (vote)
                *vote = (struct vote){difference_us, (uint32_t) i};
        }
    }
    array_sort(votes, compare_votes);
}

/* Different samples among the votes [from, to). */
static int distinct_samples(const struct array *votes, size_t from, size_t to, bool *seen,
                            size_t sample_count)
{
    int n = 0;

    for (size_t i = 0; i < sample_count; i++)
        seen[i] = false;
    for (size_t i = from; i < to; i++) {
        const struct vote *vote = array_at(votes, i);

        n += !seen[vote->sample];
        seen[vote->sample] = true;
    }
    return n;
}

struct verdict_on_clock {
    int64_t difference_us;
    int agree;   /* samples that agree on it */
    int at_zero; /* samples that agree on no difference */
    int matched; /* samples with any partner */
    int samples;
    bool strong;
};

/* The window of AGREE_US that holds the most votes. */
static struct verdict_on_clock count_votes(const struct array *samples, const struct array *votes)
{
    struct verdict_on_clock best = {0};
    bool *seen = calloc(samples->count + 1, sizeof *seen);
    size_t best_from = 0, best_to = 0, zero_from = 0, zero_to = 0;

    if (!seen || votes->count == 0) {
        free(seen);
        return best;
    }
    for (size_t from = 0, to = 0; from < votes->count; from++) {
        int64_t start_us = ((const struct vote *) array_at(votes, from))->difference_us;

        while (to < votes->count &&
               ((const struct vote *) array_at(votes, to))->difference_us <= start_us + AGREE_US)
            to++;
        if (to - from > best_to - best_from) {
            best_from = from;
            best_to = to;
        }
    }
    for (size_t i = 0; i < votes->count; i++) {
        int64_t difference_us = ((const struct vote *) array_at(votes, i))->difference_us;

        zero_from += difference_us < -AGREE_US;
        zero_to += difference_us <= AGREE_US;
    }
    best.agree = distinct_samples(votes, best_from, best_to, seen, samples->count);
    best.at_zero = distinct_samples(votes, zero_from, zero_to, seen, samples->count);
    best.samples = (int) samples->count;
    best.matched = distinct_samples(votes, 0, votes->count, seen, samples->count);
    const struct vote *middle = array_at(votes, (best_from + best_to) / 2);

    best.difference_us = middle->difference_us;
    best.strong = ((const struct sample *) array_at(samples, middle->sample))->strong;
    free(seen);
    return best;
}

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
static void judge_source(struct gateway *gateway, int file, const struct verdict_on_clock *verdict,
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

static void estimate_source(struct gateway *gateway, int source, int file, struct array *reference)
{
    sampler sample = samplers[source];
    struct array samples, votes;

    array_init(&samples, sizeof(struct sample), SAMPLES_MAX);
    array_init(&votes, sizeof(struct vote), (size_t) SAMPLES_MAX * PARTNERS_MAX);
    sample(gateway, file, &samples);
    if (samples.count > 0 && reference->count > 0) {
        collect_votes(&samples, reference, source, &votes);
        struct verdict_on_clock verdict = count_votes(&samples, &votes);

        judge_source(gateway, file, &verdict, overlaps(gateway, file, reference));
    }
    samples.count = 0;
    sample(gateway, file, &samples); /* again: now on the corrected clock */
    for (size_t i = 0; i < samples.count; i++) {
        const struct sample *one = array_at(&samples, i);

        struct sample *kept = array_add(reference);

        if (kept)
            *kept = (struct sample){one->key, one->time_us, source, one->strong};
    }
    array_sort(reference, compare_samples);
    array_release(&samples);
    array_release(&votes);
}

void clocks_estimate(struct gateway *gateway)
{
    struct array reference;

    array_init(&reference, sizeof(struct sample), (size_t) SAMPLES_MAX * 8);
    sample_deaths(gateway, &reference);
    array_sort(&reference, compare_samples);
    for (int i = 0; i < (int) (sizeof samplers / sizeof samplers[0]); i++)
        for (int file = 0; file < GATEWAY_FILES_MAX; file++)
            if (gateway->file_seen[file])
                estimate_source(gateway, i, file, &reference);
    array_release(&reference);
}
