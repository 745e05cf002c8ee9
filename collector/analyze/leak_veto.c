/*
 * leak_veto.c - the balance of claims and floors, channel by channel.
 *
 * Confirmed claims are columns like the others, only their outcome is settled: what they explain is
 * not there for anybody else.
 */
#include "analyze/leak_veto.h"

#include <math.h>
#include <stdlib.h>

#include "analyze/leak_nnls.h"

static const double share_min = .5, sampled_share_min = .5;
static const double usual_percentile = .8, clip_usual = 4, clip_predicted = 10;
static const double mode_share_sure = .5, lone_share_min = .2, error_max = .6, survivor_llr_min = 3;
enum { TESTED_HITS_MIN = 4 };

/* The claims of one channel that are under test, as columns. */
struct bench {
    struct leak_analyzer *analyzer;
    struct leak_claims *claims;
    enum leak_channel channel;
    double rho, jitter_sq; /* mean and second moment of what an ordinary hit seems to leave */
    double base;
    double lazy_hits;
    size_t columns;
    struct leak_claim *column[LEAK_CLAIMS_MAX];
    double y[LEAK_INTERVALS];
    double predicted[LEAK_CLAIMS_MAX];
};

/*
 * What an ordinary hit seems to leave, though later ones take it back: mean and second moment, over
 * all routes that claim nothing.  Jitter is in growth and in releases alike; a cache that fills is
 * only in the one, a clean-up only in the other: the smaller of the two is nearer to the truth.
 * Lazy hits have jitter too, but their growth is taken off the floor whole: this gives it back.
 */
static void measure_jitter(struct bench *bench)
{
    double growth = 0, growth_sq = 0, release = 0, release_sq = 0, hits = 0;

    for (size_t slot = 0; slot < bench->analyzer->options.max_routes; slot++) {
        const struct leak_route_state *route = &bench->analyzer->routes[slot];
        const struct leak_ledger *ledger = &route->ledgers[bench->channel];

        if (!route->used ||
            leak_claims_find(bench->claims, route->generation << LEAK_SLOT_BITS | (uint32_t) slot))
            continue;
        growth += ledger->growth_sum;
        growth_sq += ledger->growth_sq;
        release += ledger->release_sum;
        release_sq += ledger->release_sq;
        hits += ledger->settled_n;
    }
    if (hits < 1)
        return;
    bench->rho = fmin(growth, release) / hits;
    bench->jitter_sq = fmin(growth_sq, release_sq) / hits;
}

/* Sampled births minus deaths fall short of the claim: the blocks do not stay. */
static bool denied_by_samples(const struct bench *bench, const struct leak_claim *claim)
{
    const struct leak_route_state *route = leak_route_of(bench->analyzer, claim->ref);
    const double slack = 3 * (double) bench->analyzer->options.interval_bytes;
    const double claimed = claim->beta_bytes * route->ledgers[claim->channel].sum_n;

    return claim->channel == LEAK_HEAP &&
           route->net_bytes + 2 * sqrt(route->net_var) + slack < sampled_share_min * claimed;
}

/* Its blocks that seemed to stay were freed after all. */
static bool denied_by_deaths(const struct bench *bench, const struct leak_claim *claim)
{
    uint32_t births = 0, deaths = 0;

    for (size_t i = 0; i < bench->analyzer->pair_count; i++) {
        const struct leak_pair *pair = &bench->analyzer->pairs[i];

        if (pair->ref != claim->ref)
            continue;
        births += pair->births - pair->reallocs;
        deaths += pair->deaths;
    }
    return claim->channel == LEAK_HEAP && deaths >= 3 && deaths * 5 >= births * 2;
}

/* One interval as a row: its growth, and the hits of each claim in it. */
static double row_of(const struct bench *bench, const struct leak_interval *interval, double *hits)
{
    const double slack = 3 * (double) bench->analyzer->options.interval_bytes;

    for (size_t c = 0; c < bench->columns; c++)
        hits[c] = 0;
    for (size_t i = 0; i < interval->share_count; i++)
        for (size_t c = 0; c < bench->columns; c++)
            if (bench->column[c]->ref == interval->shares[i].ref)
                hits[c] += interval->shares[i].hits;
    return interval->growth + bench->rho * interval->lazy_hits - bench->base * interval->length +
           fmax(0, interval->early_freed - slack);
}

static double mad_sigma(const double *values, size_t count)
{
    double sorted[LEAK_INTERVALS], median;

    for (size_t i = 0; i < count; i++)
        sorted[i] = values[i];
    qsort(sorted, count, sizeof *sorted, leak_compare_double);
    median = sorted[count / 2];
    for (size_t i = 0; i < count; i++)
        sorted[i] = fabs(values[i] - median);
    qsort(sorted, count, sizeof *sorted, leak_compare_double);
    return 1.48 * sorted[count / 2];
}

static size_t count_lives(const struct leak_interval_ring *ring)
{
    size_t lives = 0;

    for (uint32_t i = 0; i < ring->count; i++) {
        uint32_t before = 0;

        while (before < i && ring->items[before].life != ring->items[i].life)
            before++;
        lives += before == i;
    }
    return lives;
}

/*
 * One large block that stays, or a buffer that was resized, is no news about the claims: cut what
 * is far outside of the usual, but leave room for a clean-up of many hits at once.
 */
static void clip(struct bench *bench, double predicted[LEAK_INTERVALS])
{
    const struct leak_interval_ring *ring = &bench->analyzer->intervals[bench->channel];
    double sizes[LEAK_INTERVALS], usual;

    for (uint32_t i = 0; i < ring->count; i++)
        sizes[i] = fabs(bench->y[i] - predicted[i]);
    qsort(sizes, ring->count, sizeof *sizes, leak_compare_double);
    usual = sizes[(size_t) (usual_percentile * ring->count)];
    for (uint32_t i = 0; i < ring->count; i++) {
        const double limit = clip_usual * usual + clip_predicted * predicted[i];

        bench->y[i] = fmin(fmax(bench->y[i], -limit), limit);
    }
}

/* One more column: growth that nobody claims. */
static void fill_problem(struct bench *bench, struct leak_nnls *problem)
{
    const struct leak_interval_ring *ring = &bench->analyzer->intervals[bench->channel];
    double hits[LEAK_INTERVALS][LEAK_NNLS_COLUMNS_MAX], predicted[LEAK_INTERVALS] = {0};

    problem->columns = bench->columns + 1;
    for (uint32_t i = 0; i < ring->count; i++) {
        bench->y[i] = row_of(bench, &ring->items[i], hits[i]);
        bench->lazy_hits += ring->items[i].lazy_hits;
        for (size_t c = 0; c < bench->columns; c++) {
            bench->column[c]->tested_hits += (uint32_t) hits[i][c];
            hits[i][c] *= bench->column[c]->beta_bytes;
            bench->predicted[c] += hits[i][c];
            predicted[i] += hits[i][c];
        }
        hits[i][bench->columns] = ring->items[i].length;
    }
    clip(bench, predicted);
    for (uint32_t i = 0; i < ring->count; i++)
        leak_nnls_add(problem, hits[i], bench->y[i]);
}

/* Growth that is not explained by lazy hits and confirmed leaks: all that a claim can be part of.
 */
static double unexplained(struct bench *bench, const struct leak_nnls *problem)
{
    const struct leak_interval_ring *ring = &bench->analyzer->intervals[bench->channel];
    double sum = 0;

    for (uint32_t i = 0; i < ring->count; i++)
        sum += bench->y[i];
    for (size_t c = 0; c < bench->columns; c++)
        if (bench->column[c]->confirmed)
            sum -= problem->x[c] * bench->predicted[c];
    return sum;
}

static void solve(struct bench *bench)
{
    const struct leak_interval_ring *ring = &bench->analyzer->intervals[bench->channel];
    struct leak_nnls problem = {0};
    double growth, noise;

    if (ring->count == 0)
        return;
    fill_problem(bench, &problem);
    leak_nnls_solve(&problem);
    growth = unexplained(bench, &problem);
    noise = mad_sigma(bench->y, ring->count) * sqrt((double) count_lives(ring)) +
            sqrt(bench->jitter_sq * bench->lazy_hits);
    for (size_t c = 0; c < bench->columns; c++) {
        bench->column[c]->theta = problem.x[c];
        bench->column[c]->theta_error = problem.error[c];
        bench->column[c]->upper =
            bench->predicted[c] > 0 ? (growth + 2 * noise) / bench->predicted[c] : INFINITY;
    }
}

/* The floors themselves show the growth, and show it well enough to tell one from none. */
static bool found_in_floor(const struct leak_claim *claim)
{
    return claim->theta - claim->theta_error >= lone_share_min && claim->theta_error <= error_max;
}

static enum leak_verdict decide(const struct leak_claim *claim)
{
    const bool steady = claim->mode_share >= mode_share_sure;

    if (claim->confirmed && (!claim->sparse || found_in_floor(claim)))
        return LEAK_VERDICT_leak;
    if (claim->tested_hits < TESTED_HITS_MIN)
        return steady ? LEAK_VERDICT_leak : LEAK_VERDICT_insufficient;
    if (claim->upper < share_min || claim->theta + 2 * claim->theta_error < share_min)
        return LEAK_VERDICT_bounded_cache;
    if (claim->sparse)
        return claim->survivor_llr >= survivor_llr_min && found_in_floor(claim)
                   ? LEAK_VERDICT_leak
                   : LEAK_VERDICT_suspect;
    if (steady || claim->survivor_llr >= survivor_llr_min || found_in_floor(claim))
        return LEAK_VERDICT_leak;
    return LEAK_VERDICT_suspect;
}

static void apply_channel(struct leak_analyzer *analyzer, struct leak_claims *claims,
                          enum leak_channel channel)
{
    struct bench bench = {.analyzer = analyzer,
                          .claims = claims,
                          .channel = channel,
                          .base = claims->base_bytes[channel]};

    for (size_t i = 0; i < claims->count; i++) {
        struct leak_claim *claim = &claims->items[i];

        if (claim->channel != channel)
            continue;
        if (!claim->confirmed &&
            (denied_by_samples(&bench, claim) || denied_by_deaths(&bench, claim)))
            claim->outcome = LEAK_VERDICT_bounded_cache;
        else
            bench.column[bench.columns++] = claim;
    }
    if (bench.columns == 0)
        return;
    measure_jitter(&bench);
    solve(&bench);
    for (size_t c = 0; c < bench.columns; c++)
        bench.column[c]->outcome = decide(bench.column[c]);
}

void leak_veto_apply(struct leak_analyzer *analyzer, struct leak_claims *claims)
{
    for (int channel = 0; channel < LEAK_CHANNELS; channel++)
        apply_channel(analyzer, claims, (enum leak_channel) channel);
}
