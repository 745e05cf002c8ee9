/*
 * gateway_clock_votes.c - every entry votes with its differences to those that speak of the same
 * thing elsewhere; the difference that most of them share wins.
 */
#include "analyze/gateway/gateway_clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    PARTNERS_MAX = 64, /* entries of the reference for one sample */
    REACH_HOURS = 26,  /* no two zones are further apart */
};

struct vote {
    int64_t difference_us;
    uint32_t sample;
};

static int compare_votes(const void *a, const void *b)
{
    const struct vote *x = a, *y = b;

    return x->difference_us < y->difference_us ? -1 : x->difference_us > y->difference_us;
}

/* Where to begin: of a key with many entries only those nearest in time are compared. */
static size_t first_partner(const struct array *reference, const struct sample *sample)
{
    const struct sample begin = {.key = sample->key, .time_us = INT64_MIN};
    const struct sample end = {.key = sample->key, .time_us = INT64_MAX};
    size_t from = samples_first(reference, &begin), to = samples_first(reference, &end);
    size_t near = samples_first(reference, sample);

    if (to - from <= PARTNERS_MAX || near < from + PARTNERS_MAX / 2)
        return from;
    return near - PARTNERS_MAX / 2;
}

/* Every difference between a sample and its partners in the (sorted) reference. */
static void collect_votes(const struct array *samples, const struct array *reference,
                          enum sample_source source, struct array *votes)
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

/* Votes [from, to), in order of their difference. */
struct window {
    size_t from, to;
};

static int64_t difference_at(const struct array *votes, size_t i)
{
    return ((const struct vote *) array_at(votes, i))->difference_us;
}

/* The window of AGREE_US that holds the most votes. */
static struct window fullest_window(const struct array *votes)
{
    struct window best = {0, 0};

    for (size_t from = 0, to = 0; from < votes->count; from++) {
        while (to < votes->count &&
               difference_at(votes, to) <= difference_at(votes, from) + AGREE_US)
            to++;
        if (to - from > best.to - best.from)
            best = (struct window){from, to};
    }
    return best;
}

/* The votes for no difference. */
static struct window window_at_zero(const struct array *votes)
{
    struct window zero = {0, 0};

    for (size_t i = 0; i < votes->count; i++) {
        zero.from += difference_at(votes, i) < -AGREE_US;
        zero.to += difference_at(votes, i) <= AGREE_US;
    }
    return zero;
}

/* Different samples among the votes of a window; `seen` is room for all. */
static int distinct_samples(const struct array *votes, struct window window, bool *seen,
                            size_t sample_count)
{
    int n = 0;

    memset(seen, 0, sample_count * sizeof *seen);
    for (size_t i = window.from; i < window.to; i++) {
        const struct vote *vote = array_at(votes, i);

        n += !seen[vote->sample];
        seen[vote->sample] = true;
    }
    return n;
}

static struct clock_verdict weigh(const struct array *samples, const struct array *votes,
                                  bool *seen)
{
    const struct window best = fullest_window(votes), all = {0, votes->count};
    const struct vote *middle = array_at(votes, (best.from + best.to) / 2);
    const struct sample *sample = array_at(samples, middle->sample);

    return (struct clock_verdict){
        .difference_us = middle->difference_us,
        .agree = distinct_samples(votes, best, seen, samples->count),
        .at_zero = distinct_samples(votes, window_at_zero(votes), seen, samples->count),
        .matched = distinct_samples(votes, all, seen, samples->count),
        .samples = (int) samples->count,
        .strong = sample->strong,
    };
}

struct clock_verdict votes_count(const struct array *samples, const struct array *reference,
                                 enum sample_source source)
{
    bool *seen = calloc(samples->count + 1, sizeof *seen);
    struct clock_verdict verdict = {0};
    struct array votes;

    array_init(&votes, sizeof(struct vote), (size_t) SAMPLES_MAX * PARTNERS_MAX);
    collect_votes(samples, reference, source, &votes);
    if (seen && votes.count > 0)
        verdict = weigh(samples, &votes, seen);
    array_release(&votes);
    free(seen);
    return verdict;
}
