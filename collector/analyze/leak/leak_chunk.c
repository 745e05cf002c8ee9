/*
 * leak_chunk.c - chunks by size, and the hits of every route from one to the next.
 *
 * Counts of independent hits have a variance of at least their mean; those of the route that fills
 * the chunks have hardly any.  The bound is Chernoff's for a sum of squares.
 */
#include "analyze/leak/leak_chunk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_MIN_BYTES = 4096, GAPS_MIN = 6, DENSE_SHARE = 4, RELEASED_SHARE = 8, TRIM_SHARE = 8 };
static const double gap_mean_min = 3, trimmed_variance = 1.6, variance_min = 1.0 / 12;

static bool is_followed(const struct leak_chunks *chunks, const struct leak_chunk_size *size)
{
    return chunks->epoch > 0 && size == &chunks->sizes[chunks->followed];
}

/* Seen less often, or as often and longer ago. */
static bool is_less(const struct leak_chunk_size *a, const struct leak_chunk_size *b)
{
    return a->count != b->count ? a->count < b->count : a->seen_at < b->seen_at;
}

/* The size's row.  A new one takes the place of the size that is least; NULL when that was seen
 * more than once (and then once less, so that the past does not fill the table for good). */
static struct leak_chunk_size *size_of(struct leak_chunks *chunks, int64_t bytes)
{
    struct leak_chunk_size *least = NULL;

    for (size_t i = 0; i < LEAK_CHUNK_SIZES; i++) {
        struct leak_chunk_size *size = &chunks->sizes[i];

        if (size->bytes == bytes)
            return size;
        if (!is_followed(chunks, size) && (!least || is_less(size, least)))
            least = size;
    }
    if (least->count > 1) {
        least->count--;
        return NULL;
    }
    *least = (struct leak_chunk_size){.bytes = bytes};
    return least;
}

/* Follow this size from now on: all gaps were of another. */
static void follow(struct leak_analyzer *analyzer, const struct leak_chunk_size *size)
{
    analyzer->chunks.followed = (uint32_t) (size - analyzer->chunks.sizes);
    analyzer->chunks.released = 0;
    analyzer->chunks.epoch++;
    for (size_t i = 0; i < analyzer->options.max_routes; i++)
        analyzer->routes[i].gaps = (struct leak_gaps){0};
}

/* Most often seen, and not because one hit after the other leaves as much. */
static bool should_be_followed(const struct leak_chunks *chunks, const struct leak_chunk_size *size)
{
    const uint32_t other = chunks->epoch > 0 ? chunks->sizes[chunks->followed].count : 1;

    return size->dense * DENSE_SHARE <= size->count && size->count > other;
}

static void push_gap(struct leak_gaps *gaps, uint32_t hits)
{
    gaps->hits[gaps->at] = (uint16_t) (hits < UINT16_MAX ? hits : UINT16_MAX);
    gaps->at = (uint8_t) ((gaps->at + 1) % LEAK_GAPS);
    gaps->count = (uint8_t) (gaps->count + (gaps->count < LEAK_GAPS));
}

/* A chunk: from the last one in this worker until now is a gap, in hits of each route. */
static void end_gap(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    const bool is_first = worker->chunk_epoch != analyzer->chunks.epoch;

    for (uint32_t i = 0; worker->visits && i < worker->visit_slots; i++) {
        struct leak_visit *visit = &worker->visits[i];
        struct leak_route_state *route = visit->ref ? leak_route_of(analyzer, visit->ref) : NULL;

        if (route && !is_first)
            push_gap(&route->gaps, visit->hits - visit->hits_at_chunk);
        visit->hits_at_chunk = visit->hits;
    }
    worker->chunk_epoch = analyzer->chunks.epoch;
}

void leak_chunk_note(struct leak_analyzer *analyzer, struct leak_worker *worker,
                     const struct leak_visit *visit, int64_t delta)
{
    struct leak_chunks *chunks = &analyzer->chunks;
    struct leak_chunk_size *size;

    if (delta < CHUNK_MIN_BYTES) {
        chunks->released += chunks->epoch > 0 && chunks->sizes[chunks->followed].bytes == -delta;
        return;
    }
    size = size_of(chunks, delta);
    if (!size)
        return;
    size->count++;
    size->seen_at = ++chunks->growths;
    size->dense += visit->previous[LEAK_HEAP][0] == delta;
    if (!is_followed(chunks, size) && should_be_followed(chunks, size))
        follow(analyzer, size);
    if (is_followed(chunks, size))
        end_gap(analyzer, worker);
}

static int compare_uint16(const void *a, const void *b)
{
    return *(const uint16_t *) a - *(const uint16_t *) b;
}

/* Sorted gaps without those that are furthest from the median: a chunk that came together with
 * other growth was not noticed, and made two gaps one. */
static size_t usual_gaps(const struct leak_gaps *gaps, uint16_t ret_hits[LEAK_GAPS])
{
    size_t first = 0, end = gaps->count;
    uint16_t median;

    memcpy(ret_hits, gaps->hits, end * sizeof *ret_hits);
    qsort(ret_hits, end, sizeof *ret_hits, compare_uint16);
    median = ret_hits[end / 2];
    for (size_t drop = (size_t) gaps->count / TRIM_SHARE; drop > 0; drop--) {
        if (median - ret_hits[first] > ret_hits[end - 1] - median)
            first++;
        else
            end--;
    }
    memmove(ret_hits, ret_hits + first, (end - first) * sizeof *ret_hits);
    return end - first;
}

/* -ln of Chernoff's bound for `count` independent counts to vary by so little.  `factor` makes up
 * for the variance that trimming took. */
static double regularity(const uint16_t *hits, size_t count, double factor, double *ret_mean)
{
    const double freedom = (double) count - 1;
    double sum = 0, square = 0, ratio;

    for (size_t i = 0; i < count; i++) {
        sum += hits[i];
        square += (double) hits[i] * hits[i];
    }
    *ret_mean = sum / (double) count;
    if (*ret_mean < gap_mean_min)
        return 0;
    ratio = factor * fmax(square - sum * *ret_mean, variance_min * (double) count) / freedom /
            *ret_mean;
    return ratio < 1 ? freedom / 2 * (ratio - 1 - log(ratio)) : 0;
}

struct leak_filling leak_chunk_filling(const struct leak_analyzer *analyzer,
                                       const struct leak_route_state *route)
{
    const struct leak_chunks *chunks = &analyzer->chunks;
    struct leak_filling filling = {0};
    uint16_t hits[LEAK_GAPS];
    double whole;
    size_t count;

    if (route->gaps.count < GAPS_MIN)
        return filling;
    if (chunks->released * RELEASED_SHARE > chunks->sizes[chunks->followed].count)
        return filling;
    filling.chunk_bytes = (double) chunks->sizes[chunks->followed].bytes;
    whole = regularity(route->gaps.hits, route->gaps.count, 1, &filling.hits_per_chunk);
    count = usual_gaps(&route->gaps, hits);
    filling.strength =
        fmax(whole, regularity(hits, count, trimmed_variance, &filling.hits_per_chunk));
    return filling;
}
