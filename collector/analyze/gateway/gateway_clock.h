/*
 * gateway_clock.h - entries of one source set against those of others.  Private to
 * gateway_clock.c (what follows), gateway_clock_samples.c (which entries) and gateway_clock_votes.c
 * (what they say together).
 */
#ifndef FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_CLOCK_H
#define FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_CLOCK_H

#include "analyze/gateway/gateway_parts.h"

/* In the order in which they are compared; each may lean on the ones before. */
enum sample_source {
    FROM_EVENTS = -1,
    FROM_HOPS,
    FROM_FAULTS,
    FROM_FPM,
    FROM_KERNEL,
    FROM_PHP,
    FROM_FETCHES,
    SAMPLE_SOURCES
};

/* One entry: what it speaks of (the same key in two sources is the same thing), and when. */
struct sample {
    uint64_t key;
    int64_t time_us;
    enum sample_source source; /* sources of one kind are never compared */
    bool strong;               /* one agreeing sample of this kind says a lot */
};

enum {
    SAMPLES_MAX = 20000, /* of one source */
    AGREE_US = 2500000,  /* differences of one clock lie within this */
};

/* gateway_clock_samples.c */

/* What the event stream, or `file` as a log of kind `source`, says; added to `samples`. */
void samples_of_deaths(const struct gateway *gateway, struct array *samples);
void samples_of_file(const struct gateway *gateway, enum sample_source source, int file,
                     struct array *samples);
/* By key and time; the first sample of a sorted array that is not below `bound`. */
void samples_sort(struct array *samples);
size_t samples_first(const struct array *samples, const struct sample *bound);

/* gateway_clock_votes.c */

struct clock_verdict {
    int64_t difference_us;
    int agree;   /* samples that agree on it */
    int at_zero; /* samples that agree on no difference */
    int matched; /* samples with any partner */
    int samples;
    bool strong;
};

/* The difference to the sorted `reference` on which most samples of this source agree; all zero
 * when there is none. */
struct clock_verdict votes_count(const struct array *samples, const struct array *reference,
                                 enum sample_source source);

#endif
