/* leak_claim.c - from ledgers to claims: dense, sparse, and the baseline of all routes. */
#include "analyze/leak/leak_claim.h"

#include <math.h>
#include <stdlib.h>

#include "analyze/leak/leak_chunk.h"
#include "analyze/leak/leak_ledger.h"
#include "analyze/leak/leak_release.h"
#include "analyze/leak/leak_sample.h"

enum { HITS_MIN = 8, BASE_HITS_MIN = 4, BASE_ROUTES_MIN = 5, SPARSE_GROWTHS_MIN = 6 };
enum { SAME_SIZE_MIN = 5 };
static const double same_size_share_min = .3, same_size_z_min = 2;
static const double sparse_z_min = 4, base_percentile = .35, base_routes_share = .85,
                    base_hits_share = .85, mode_share_min = .5, sole_size_share_min = .8,
                    shrinking_share_min = .01, survivor_share_min = .3, chunk_strength_min = 8,
                    chunk_other_max = 4;

int leak_compare_double(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

/* The route that can be asked for its median: enough deep hits, one in two of them growing. */
static bool grows_mostly(const struct leak_ledger *ledger)
{
    return ledger->ring_growths * 2 >= ledger->ring_count;
}

/* What nearly every route keeps per hit: an agent's leak, or the application's own baseline. */
static double baseline(const struct leak_analyzer *analyzer, enum leak_channel channel)
{
    double medians[1u << LEAK_SLOT_BITS], hits = 0, growths = 0;
    size_t count = 0, growing = 0;

    for (size_t i = 0; i < analyzer->options.max_routes; i++) {
        const struct leak_route_state *route = &analyzer->routes[i];
        const struct leak_ledger *ledger = &route->ledgers[channel];

        if (!route->used)
            continue;
        hits += ledger->deep_hits;
        growths += ledger->deep_growths;
        if (ledger->ring_count < BASE_HITS_MIN)
            continue;
        medians[count++] = 0;
        if (grows_mostly(ledger)) {
            medians[count - 1] = leak_ledger_typical(ledger).median;
            growing++;
        }
    }
    /* A leak of every request leaves out hardly any route and hardly any hit; a cache that most
     * share leaves out some. */
    if (count < BASE_ROUTES_MIN || (double) growing < base_routes_share * (double) count ||
        growths < base_hits_share * hits)
        return 0;
    qsort(medians, count, sizeof *medians, leak_compare_double);

    const double base = medians[(size_t) (base_percentile * (double) count)];

    return base >= LEAK_BETA_MIN_BYTES ? base : 0;
}

/* The most frequent size is what a hit leaves, and the rest is noise; unless the rest never
 * shrinks: then it is a second leak, and the mean tells both. */
static bool keeps_one_size(const struct leak_ledger *ledger, const struct leak_typical *typical)
{
    const bool shrinks =
        (double) ledger->deep_releases > shrinking_share_min * (double) ledger->deep_hits;

    return typical->mode_share >= (shrinks ? mode_share_min : sole_size_share_min);
}

static bool claim_dense(const struct leak_ledger *ledger, double base, struct leak_claim *claim)
{
    struct leak_typical typical;

    if (ledger->llr < LEAK_LLR_CLAIM || ledger->ring_count < HITS_MIN || !grows_mostly(ledger))
        return false;
    typical = leak_ledger_typical(ledger);
    if (typical.median - base < LEAK_BETA_MIN_BYTES)
        return false;
    claim->strength = ledger->llr;
    claim->mode_share = typical.mode_share;
    claim->steady = typical.mode_share >= mode_share_min;
    claim->block_bytes = typical.mode_share >= same_size_share_min ? typical.mode - base : 0;
    claim->beta_bytes =
        (keeps_one_size(ledger, &typical) ? typical.mode : typical.trimmed_mean) - base;
    return claim->beta_bytes >= LEAK_BETA_MIN_BYTES;
}

/* Some hits leave always the same size: chance does not do that. */
static bool claim_same_size(const struct leak_route_state *route, struct leak_claim *claim)
{
    const struct leak_ledger *ledger = &route->ledgers[LEAK_HEAP];
    double bytes = 0;
    const size_t same = leak_sizes_same(&route->sizes, &bytes);

    if (leak_ledger_z(ledger) < same_size_z_min || same < SAME_SIZE_MIN ||
        bytes < LEAK_BETA_MIN_BYTES || (double) same < same_size_share_min * route->sizes.count)
        return false;
    claim->sparse = claim->steady = true;
    claim->strength = (double) same;
    claim->block_bytes = bytes;
    claim->beta_bytes =
        bytes * (double) same / route->sizes.count * ledger->deep_growths / ledger->deep_hits;
    return claim->beta_bytes >= LEAK_BETA_MIN_BYTES;
}

static bool claim_sparse(const struct leak_route_state *route, enum leak_channel channel,
                         double base, struct leak_claim *claim)
{
    const struct leak_ledger *ledger = &route->ledgers[channel];
    const double z = leak_ledger_z(ledger);

    if (base > 0)
        return false;
    /* Not for mappings: Zend's chunks are all of one size, and come and go. */
    if (channel == LEAK_HEAP && claim_same_size(route, claim))
        return true;
    if (z < sparse_z_min || ledger->deep_growths < SPARSE_GROWTHS_MIN)
        return false;
    claim->sparse = true;
    claim->strength = z;
    claim->beta_bytes = ledger->sum / ledger->sum_n;
    return claim->beta_bytes >= LEAK_BETA_MIN_BYTES;
}

/* Failed requests leak, the others do not: the mean over all hits is what the floors show. */
static bool claim_errors(const struct leak_route_state *route, double base,
                         struct leak_claim *claim)
{
    const struct leak_ledger *all = &route->ledgers[LEAK_HEAP],
                             *errors = &route->ledgers[LEAK_ERRORS];

    const double others = fmax(1, (double) all->deep_hits - errors->deep_hits),
                 grown = (double) all->deep_growths - errors->deep_growths;

    if (base > 0 || errors->deep_hits * 2 > all->deep_hits || grown > others / 2 ||
        !claim_dense(errors, 0, claim))
        return false;
    claim->on_errors = claim->sparse = true;
    claim->beta_bytes *= (double) errors->deep_hits / all->deep_hits;
    return claim->beta_bytes >= LEAK_BETA_MIN_BYTES;
}

/* Keep the strongest claims when there are too many; dense before sparse. */
static void add(struct leak_claims *claims, const struct leak_claim *claim)
{
    struct leak_claim *weakest = &claims->items[0];

    if (claims->count < LEAK_CLAIMS_MAX) {
        claims->items[claims->count++] = *claim;
        return;
    }
    for (size_t i = 1; i < claims->count; i++)
        if (claims->items[i].sparse > weakest->sparse ||
            (claims->items[i].sparse == weakest->sparse &&
             claims->items[i].strength < weakest->strength))
            weakest = &claims->items[i];
    if (!claim->sparse && (weakest->sparse || weakest->strength < claim->strength))
        *weakest = *claim;
}

/* What no ledger of signs or sizes shows, blocks may: one stack's survive, and are what the route
 * keeps. */
static bool claim_survivors(const struct leak_ledger *ledger, const struct leak_pair *pair,
                            struct leak_claim *claim)
{
    if (!pair || pair->llr < LEAK_LLR_CLAIM || !leak_pair_is_solid(pair) ||
        ledger->sum_n < HITS_MIN)
        return false;
    claim->sparse = true;
    claim->strength = pair->llr;
    claim->beta_bytes = ledger->sum / ledger->sum_n;
    return claim->beta_bytes >= LEAK_BETA_MIN_BYTES;
}

/* Shares of its growth, in bytes or in hits, whichever is less: one large buffer that is resized
 * must not speak for a hundred small blocks that stay, nor many small ones for a large one. */
static double given_back(const struct leak_ledger *ledger)
{
    const double hits = ledger->given_back_hits, bytes = ledger->given_back_bytes;

    return fmin(bytes / fmax(1, ledger->grown_bytes + bytes),
                hits / fmax(1, ledger->deep_growths + hits));
}

static double released(const struct leak_ledger *ledger)
{
    return fmin(ledger->release_sum / fmax(1, ledger->growth_sum),
                (double) ledger->deep_releases / fmax(1, ledger->deep_growths));
}

/* It is hit just as often from one chunk of an arena to the next, and no other route is: whoever
 * pays, it fills them. */
static bool claim_chunks(const struct leak_analyzer *analyzer, const struct leak_route_state *route,
                         struct leak_claim *claim)
{
    const struct leak_filling filling = leak_chunk_filling(analyzer, route);

    if (filling.strength < chunk_strength_min)
        return false;
    for (size_t i = 0; i < analyzer->options.max_routes; i++) {
        const struct leak_route_state *other = &analyzer->routes[i];

        if (other != route && other->used &&
            leak_chunk_filling(analyzer, other).strength > chunk_other_max)
            return false;
    }
    claim->sparse = claim->chunks = true;
    claim->strength = filling.strength;
    claim->block_bytes = filling.chunk_bytes;
    claim->beta_bytes = filling.chunk_bytes / filling.hits_per_chunk;
    return true;
}

static void collect_route(struct leak_analyzer *analyzer, size_t slot, enum leak_channel channel,
                          struct leak_claims *claims)
{
    const struct leak_route_state *route = &analyzer->routes[slot];
    const struct leak_ledger *ledger = &route->ledgers[channel];
    const double base = claims->base_bytes[channel];
    struct leak_claim claim = {.ref = route->generation << LEAK_SLOT_BITS | (uint32_t) slot,
                               .channel = channel,
                               .outcome = LEAK_VERDICT_suspect};
    const struct leak_pair *pair =
        channel == LEAK_HEAP ? leak_best_pair(analyzer, claim.ref) : NULL;

    if (!(channel == LEAK_HEAP && base <= 0 && claim_chunks(analyzer, route, &claim)) &&
        !claim_dense(ledger, base, &claim) &&
        !(channel == LEAK_HEAP && claim_errors(route, base, &claim)) &&
        !claim_sparse(route, channel, base, &claim) && !claim_survivors(ledger, pair, &claim))
        return;
    /* The survivors must be the growth that is claimed, not some other, smaller thing; and on some
     * hits only, more than the one or two blocks that a life may keep once. */
    if (pair && pair->net_bytes >= survivor_share_min * claim.beta_bytes * ledger->sum_n &&
        (!claim.sparse || leak_pair_repeats(pair))) {
        claim.survivor_llr = pair->llr;
        claim.confirmed = pair->llr >= LEAK_LLR_CLAIM && leak_pair_is_solid(pair);
    }
    claim.growth_share = (double) ledger->deep_growths / fmax(1, ledger->deep_hits);
    claim.given_back = given_back(ledger);
    claim.released = released(ledger);
    claim.uncovered = leak_release_uncovered(analyzer, claim.ref);
    claim.matched = leak_release_matched(ledger);
    claim.cleanups = ledger->cleanups;
    claim.covers = ledger->covers;
    add(claims, &claim);
}

void leak_claims_collect(struct leak_analyzer *analyzer, struct leak_claims *ret_claims)
{
    *ret_claims = (struct leak_claims){0};
    for (int channel = 0; channel < LEAK_CHANNELS; channel++) {
        ret_claims->base_bytes[channel] = baseline(analyzer, (enum leak_channel) channel);
        for (size_t slot = 0; slot < analyzer->options.max_routes; slot++)
            if (analyzer->routes[slot].used)
                collect_route(analyzer, slot, (enum leak_channel) channel, ret_claims);
    }
}

const struct leak_claim *leak_claims_find(const struct leak_claims *claims, uint32_t ref)
{
    const struct leak_claim *best = NULL;

    for (size_t i = 0; i < claims->count; i++) {
        const struct leak_claim *claim = &claims->items[i];

        if (claim->ref != ref)
            continue;
        if (!best || (claim->outcome == LEAK_VERDICT_leak) > (best->outcome == LEAK_VERDICT_leak) ||
            (claim->outcome == best->outcome && claim->strength > best->strength))
            best = claim;
    }
    return best;
}
