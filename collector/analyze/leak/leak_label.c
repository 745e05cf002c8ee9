/*
 * leak_label.c - rules of thumb for what is not a leak, the most telling first.
 *
 * They decide between words, not about blame: no rule here can make a leak.
 */
#include "analyze/leak/leak_label.h"

#include "analyze/leak/leak_ledger.h"
#include "analyze/leak/leak_release.h"
#include "analyze/leak/leak_sample.h"

enum { HITS_MIN = 8, PEAKS_MIN = 2, PEAK_CLASSES = 3, DEATHS_MIN = 2, RARE = 10 };
static const double given_back_min = .5, covered_max = .5, matched_min = .3, biggest_share_min = .7,
                    biggest_min_bytes = 32768, warm_min_bytes = 4096, replaced_share_min = .2,
                    rss_kib_per_100_min = 250, seen_share_min = .02;

/* Blocks of the route that had seemed to stay, and went, not by realloc. */
static uint32_t deaths_of(const struct leak_analyzer *analyzer, uint32_t ref)
{
    uint32_t deaths = 0;

    for (size_t i = 0; i < analyzer->pair_count; i++)
        if (analyzer->pairs[i].ref == ref)
            deaths += analyzer->pairs[i].deaths;
    return deaths;
}

/* How many times the usual the largest requests took; 0 when there is no such class. */
double leak_peak_factor(const struct leak_route_state *route)
{
    const uint16_t *const all[] = {route->zend_peaks, route->volumes};
    double factor = 0;

    for (size_t which = 0; which < 2; which++) {
        uint64_t total = 0, below = 0, above = 0;
        int median = 0;

        for (int class = 0; class < LEAK_SIZE_CLASSES; class ++)
            total += all[which][class];
        while (median < LEAK_SIZE_CLASSES - 1 && (below += all[which][median]) * 2 < total)
            median++;
        for (int class = LEAK_SIZE_CLASSES - 1; class >= median + PEAK_CLASSES; class --) {
            above += all[which][class];
            if (median > 0 && above >= PEAKS_MIN && above * RARE <= total &&
                (double) (1u << (class - median)) > factor)
                factor = (double) (1u << (class - median));
        }
    }
    return factor;
}

/* One large block per life is most of what the route ever kept. */
static bool is_one_off(const struct leak_ledger *heap)
{
    return heap->biggest_sum >= biggest_share_min * heap->settled_grown &&
           heap->settled_grown > 0 && heap->biggest_sum >= biggest_min_bytes;
}

/* As much was released as kept, all the time: what is new replaces what is old. */
static bool replaces(const struct leak_ledger *heap)
{
    return heap->deep_growths >= replaced_share_min * heap->deep_hits &&
           heap->release_sum > heap->growth_sum / 2 && heap->growth_sum > heap->release_sum / 2;
}

/* Was anything given back that can have been the route's?  What was denied for another reason is
 * not to be called by a name that says so. */
static bool saw_release(const struct leak_analyzer *analyzer, const struct leak_ledger *ledger,
                        const struct leak_claim *claim)
{
    return claim->matched > seen_share_min || claim->given_back > seen_share_min ||
           claim->uncovered < covered_max || deaths_of(analyzer, claim->ref) > 0 ||
           ledger->release_sum > seen_share_min * ledger->growth_sum;
}

static enum leak_verdict label_claim(struct leak_analyzer *analyzer, const struct leak_claim *claim)
{
    if (claim->outcome != LEAK_VERDICT_bounded_cache)
        return claim->outcome;
    if (!saw_release(analyzer, &leak_route_at(analyzer, claim->ref)->ledgers[claim->channel],
                     claim))
        return claim->declines ? LEAK_VERDICT_bounded_cache : LEAK_VERDICT_suspect;
    if (claim->given_back >= given_back_min)
        return LEAK_VERDICT_delayed_free;
    return claim->growth_share >= .9 && claim->matched < matched_min ? LEAK_VERDICT_periodic
                                                                     : LEAK_VERDICT_bounded_cache;
}

static enum leak_verdict label_quiet(struct leak_analyzer *analyzer,
                                     const struct leak_route_state *route, uint32_t ref)
{
    const struct leak_ledger *heap = &route->ledgers[LEAK_HEAP];
    const double kept = heap->grown_bytes + heap->given_back_bytes;

    if (leak_peak_factor(route) > 0)
        return LEAK_VERDICT_peak;
    if (heap->given_back_bytes >= given_back_min * kept && kept > warm_min_bytes)
        return LEAK_VERDICT_delayed_free;
    if (deaths_of(analyzer, ref) >= DEATHS_MIN || replaces(heap))
        return LEAK_VERDICT_bounded_cache;
    if (is_one_off(heap))
        return LEAK_VERDICT_one_off;
    if (heap->deep_hits < HITS_MIN)
        return LEAK_VERDICT_insufficient;
    return heap->warm_sum > warm_min_bytes ? LEAK_VERDICT_warmup : LEAK_VERDICT_clean;
}

enum leak_verdict leak_label(struct leak_analyzer *analyzer, uint32_t ref,
                             const struct leak_claim *claim, double base_bytes)
{
    const struct leak_route_state *route = leak_route_at(analyzer, ref);
    const struct leak_ledger *heap = &route->ledgers[LEAK_HEAP];

    /* What every route keeps is charged to "*". */
    if (!claim && base_bytes > 0 && 2 * heap->ring_growths > heap->ring_count)
        return LEAK_VERDICT_shared_growth;
    if (claim && claim->outcome == LEAK_VERDICT_suspect && leak_pair_shared_of(analyzer, ref))
        return LEAK_VERDICT_shared_growth;
    if (claim)
        return label_claim(analyzer, claim);
    return label_quiet(analyzer, route, ref);
}

double leak_fragmentation(const struct leak_analyzer *analyzer)
{
    const double hundreds = analyzer->excess_requests / 100;
    const double growth = hundreds >= 1 ? analyzer->excess_growth_kib / hundreds : 0;

    return growth > rss_kib_per_100_min ? growth : 0;
}
