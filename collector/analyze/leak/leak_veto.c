/*
 * leak_veto.c - the balance of claims and floors, channel by channel.
 *
 * Confirmed claims are columns like the others, only their outcome is settled: what they explain is
 * not there for anybody else.
 */
#include "analyze/leak/leak_veto.h"

#include <math.h>
#include <stdlib.h>

#include "analyze/leak/leak_nnls.h"

static const double share_min = .5, sampled_share_min = .5;
static const double usual_percentile = .8, clip_usual = 4, clip_predicted = 10;
static const double matched_max = .15, given_back_max = .3, uncovered_min = .5,
                    growth_share_min = .9;
static const double lone_share_min = .2, error_max = .6, balance_min = .3, balance_max = 1.7,
                    survivor_llr_min = 1.2;
enum { TESTED_HITS_MIN = 4, JITTER_HITS_MIN = 16, RATE_HITS_MIN = 16, SAMPLES_MIN = 20 };
static const double decline_max = .4, untested_llr_min = 11, steady_matched_max = .2;
static const double lasting_mode_min = .9, lasting_uncovered_min = .8, lasting_matched_max = .02,
                    lasting_llr_min = 8;
static const double kept_growth_share_min = .96, kept_uncovered_min = .9, kept_matched_max = .05,
                    kept_released_max = .04;
static const double replaced_released_max = .01;
static const double mixed_mode_min = .3, mixed_growth_share_min = .75, mixed_given_back_max = .1;
enum { OFTEN_MIN = 12 };
static const double often_released_max = .2;
enum { CLEANUPS_MIN = 4, COVERS_PER_CLEANUP = 8 };
enum { COVERS_MIN = 6, COVERS_PER_CHANCE = 20, CHANCE_CLEANUPS_MAX = 1 };
static const double uncollected_growth_share_min = .9, uncollected_given_back_max = .15,
                    uncollected_released_max = .1, uncollected_llr_min = 16;
static const double balance_llr_min = 100, balance_growth_share_min = .95;

/* The claims of one channel that are under test, as columns. */
struct bench {
    struct leak_analyzer *analyzer;
    struct leak_claims *claims;
    enum leak_channel channel;
    double jitter, jitter_sq; /* mean and second moment of what an ordinary hit seems to leave */
    double lazy_sq;           /* second moments of all lazy hits, added up */
    double base;
    size_t columns;
    struct leak_claim *column[LEAK_CLAIMS_MAX];
    double y[LEAK_INTERVALS];
    double predicted[LEAK_CLAIMS_MAX];
};

/*
 * Jitter: what a hit seems to leave, though later ones take it back.  It is in growth and in
 * releases alike; a cache that fills is only in the one, a clean-up only in the other: the smaller
 * of the two is nearer to the truth.  Lazy hits have jitter too, but their growth is taken off the
 * floor whole: this gives it back, route by route, or by the average of all for a rare route.
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
    bench->jitter = fmin(growth, release) / hits;
    bench->jitter_sq = fmin(growth_sq, release_sq) / hits;
}

/* Give back the jitter of the share's lazy hits; returns it. */
static double lazy_jitter(struct bench *bench, const struct leak_share *share)
{
    const struct leak_route_state *route = leak_route_of(bench->analyzer, share->ref);
    const struct leak_ledger *ledger = route ? &route->ledgers[bench->channel] : NULL;
    double mean = bench->jitter, square = bench->jitter_sq;

    if (ledger && ledger->settled_n >= JITTER_HITS_MIN) {
        mean = fmin(ledger->growth_sum, ledger->release_sum) / ledger->settled_n;
        square = fmin(ledger->growth_sq, ledger->release_sq) / ledger->settled_n;
    }
    bench->lazy_sq += square * share->lazy_hits;
    return mean * share->lazy_hits;
}

/* Sampled births minus deaths fall short of the claim: the blocks do not stay. */
static bool denied_by_samples(const struct bench *bench, const struct leak_claim *claim)
{
    const struct leak_route_state *route = leak_route_at(bench->analyzer, claim->ref);
    const double slack = 3 * (double) bench->analyzer->options.interval_bytes;
    const double claimed = claim->beta_bytes * route->ledgers[claim->channel].sum_n;

    /* A stream without samples says nothing: a throttled sampler must not deny what is exact. */
    return claim->channel == LEAK_HEAP && bench->analyzer->samples >= SAMPLES_MIN &&
           route->net_bytes + 2 * sqrt(route->net_var) + slack < sampled_share_min * claimed;
}

/* What was sampled and not freed is as much as is claimed, or the ledger saw hardly any release:
 * blocks that died were replaced in the same request, as a table does that doubles. */
static bool deaths_are_replacements(const struct bench *bench, const struct leak_claim *claim)
{
    const struct leak_route_state *route = leak_route_of(bench->analyzer, claim->ref);
    const double claimed = claim->beta_bytes * route->ledgers[claim->channel].sum_n;

    return route->net_bytes - 2 * sqrt(route->net_var) >= sampled_share_min * claimed ||
           (claim->uncovered >= kept_uncovered_min && claim->released <= replaced_released_max &&
            claim->matched <= replaced_released_max);
}

/* The page caches as well: what it leaks is always of one size, and the pair's blocks of another.
 */
static bool is_something_else(const struct leak_pair *pair, const struct leak_claim *claim)
{
    return claim->steady && claim->matched <= lasting_matched_max && pair->usual_votes > 0 &&
           pair->usual_bytes != (uint32_t) claim->block_bytes;
}

/* Its blocks that seemed to stay were freed after all. */
static bool denied_by_deaths(const struct bench *bench, const struct leak_claim *claim)
{
    uint32_t births = 0, deaths = 0;

    for (size_t i = 0; i < bench->analyzer->pair_count; i++) {
        const struct leak_pair *pair = &bench->analyzer->pairs[i];

        if (pair->ref != claim->ref || is_something_else(pair, claim))
            continue;
        births += pair->births - pair->reallocs;
        deaths += pair->deaths;
    }
    return claim->channel == LEAK_HEAP && deaths >= 3 && deaths * 3 >= births &&
           !deaths_are_replacements(bench, claim);
}

/* A cache that fills slowly takes less and less; a leak does not. */
static bool denied_by_decline(const struct bench *bench, const struct leak_claim *claim)
{
    const struct leak_ledger *ledger =
        &leak_route_at(bench->analyzer, claim->ref)->ledgers[claim->channel];

    return ledger->early_hits >= RATE_HITS_MIN && ledger->late_hits >= RATE_HITS_MIN &&
           (double) ledger->late_growths / ledger->late_hits <
               decline_max * ledger->early_growths / ledger->early_hits;
}

/* Lazy hits' growth is not in the interval's, and neither is the baseline in it. */
static double settled_hits(const struct leak_interval *interval)
{
    double hits = interval->length;

    for (size_t i = 0; i < interval->share_count; i++)
        hits -= interval->shares[i].lazy_hits;
    return hits;
}

/* One interval as a row: its growth, and the hits of each claim in it. */
static double row_of(struct bench *bench, const struct leak_interval *interval, double *hits)
{
    const double slack = 3 * (double) bench->analyzer->options.interval_bytes;
    double y = interval->growth - bench->base * settled_hits(interval) +
               fmax(0, interval->early_freed - slack);

    for (size_t c = 0; c < bench->columns; c++)
        hits[c] = 0;
    for (size_t i = 0; i < interval->share_count; i++) {
        const struct leak_share *share = &interval->shares[i];

        y += lazy_jitter(bench, share);
        for (size_t c = 0; c < bench->columns; c++)
            if (bench->column[c]->ref == share->ref)
                hits[c] += share->hits;
    }
    return y;
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

/* Before the rows tell one claim from another, each of them is expected to be as true as all are
 * together: conservation holds in total. */
static void expect_shares(const struct bench *bench, struct leak_nnls *problem)
{
    const struct leak_interval_ring *ring = &bench->analyzer->intervals[bench->channel];
    double growth = 0, claimed = 0;

    for (uint32_t i = 0; i < ring->count; i++)
        growth += bench->y[i];
    for (size_t c = 0; c < bench->columns; c++)
        claimed += bench->predicted[c];
    for (size_t c = 0; c < bench->columns && claimed > 0; c++) {
        problem->expected[c] = fmin(fmax(growth / claimed, 0), 1);
        problem->expected_error[c] = 1;
    }
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
    double growth, noise, total = 0;

    if (ring->count == 0)
        return;
    fill_problem(bench, &problem);
    expect_shares(bench, &problem);
    leak_nnls_solve(&problem);
    /* A floor does not sink for long: less than nothing means that lazy growth was released later.
     */
    growth = fmax(0, unexplained(bench, &problem));
    noise =
        mad_sigma(bench->y, ring->count) * sqrt((double) count_lives(ring)) + sqrt(bench->lazy_sq);
    for (size_t c = 0; c < bench->columns; c++)
        total += bench->column[c]->confirmed ? 0 : bench->predicted[c];
    for (size_t c = 0; c < bench->columns; c++) {
        bench->column[c]->balance = growth / total;
        bench->column[c]->balance_error = noise / total;
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

/* No release of a later request can have been of its memory. */
static bool unreleased(const struct leak_claim *claim)
{
    return claim->matched <= matched_max && claim->given_back <= given_back_max &&
           claim->uncovered >= uncovered_min;
}

/* All claims together explain the growth that there is, and this one is as sure as signs can be. */
static bool balanced(const struct leak_claim *claim)
{
    return claim->balance - 2 * claim->balance_error >= balance_min &&
           claim->balance <= balance_max && claim->theta + claim->theta_error >= share_min &&
           claim->strength >= balance_llr_min && claim->growth_share >= balance_growth_share_min &&
           unreleased(claim);
}

/* Always the same size, and not because each one replaces the last; or so often the same size that
 * other growth of the same requests must be what varies, and hardly anything of it came back. */
static bool steady_and_kept(const struct leak_claim *claim)
{
    if (claim->steady)
        return claim->matched <= steady_matched_max && claim->given_back <= given_back_max;
    return claim->mode_share >= mixed_mode_min && claim->growth_share >= mixed_growth_share_min &&
           claim->matched <= kept_matched_max && claim->given_back <= mixed_given_back_max;
}

/* Hardly any hit without growth, and in no life a release that covered it: what a clean-up or a
 * cache gives back goes in the requests of some route, a busy one's own among them.  One hit in
 * thirty may shrink (somebody's buffer); of routes that a clean-up serves it was one in twenty. */
static bool kept_for_life(const struct leak_claim *claim)
{
    return claim->growth_share >= kept_growth_share_min && claim->uncovered >= kept_uncovered_min &&
           claim->matched <= kept_matched_max && claim->released <= kept_released_max &&
           claim->strength >= untested_llr_min && claim->theta + claim->theta_error >= share_min;
}

/* Small growth of nearly every hit, when floors are too noisy to tell: a clean-up would have given
 * back just the sum of it, now and then at least; no release did. */
static bool uncollected(const struct leak_claim *claim)
{
    return claim->growth_share >= uncollected_growth_share_min && claim->covers >= COVERS_MIN &&
           claim->cleanups <= CHANCE_CLEANUPS_MAX &&
           claim->cleanups * COVERS_PER_CHANCE <= claim->covers &&
           claim->matched <= kept_matched_max && claim->given_back <= uncollected_given_back_max &&
           claim->released <= uncollected_released_max && claim->strength >= uncollected_llr_min &&
           claim->theta + claim->theta_error >= share_min &&
           claim->balance + claim->balance_error >= share_min;
}

/* So many releases were just what it and others had kept that a clean-up made them. */
static bool collected(const struct leak_claim *claim)
{
    return claim->cleanups >= CLEANUPS_MIN && claim->cleanups * COVERS_PER_CLEANUP >= claim->covers;
}

static enum leak_belief believe_dense(const struct leak_claim *claim, double base)
{
    const bool hardly_ever_not = claim->growth_share >= growth_share_min &&
                                 claim->matched <= matched_max &&
                                 claim->given_back <= given_back_max;

    if (steady_and_kept(claim))
        return LEAK_BELIEF_same_size;
    if (claim->survivor_llr >= survivor_llr_min)
        return LEAK_BELIEF_survivors;
    if (collected(claim))
        return LEAK_BELIEF_none;
    if (hardly_ever_not && found_in_floor(claim))
        return LEAK_BELIEF_floor;
    /* When all routes grow, growth of nearly every hit is not news about this one. */
    if (base <= 0 && kept_for_life(claim))
        return LEAK_BELIEF_kept;
    if (base <= 0 && uncollected(claim))
        return LEAK_BELIEF_uncollected;
    return hardly_ever_not && balanced(claim) ? LEAK_BELIEF_balance : LEAK_BELIEF_none;
}

/* So often the same size that the next release of that size would have been seen, were there any:
 * releases that are merely as large can be of anything. */
static bool often_the_same(const struct leak_claim *claim)
{
    return claim->strength >= OFTEN_MIN && claim->matched <= lasting_matched_max &&
           claim->given_back <= mixed_given_back_max && claim->released <= often_released_max;
}

static enum leak_belief believe_sparse(const struct leak_claim *claim)
{
    if (claim->on_errors && unreleased(claim))
        return LEAK_BELIEF_errors;
    if (claim->steady && (unreleased(claim) || often_the_same(claim)) &&
        claim->theta + claim->theta_error >= share_min)
        return LEAK_BELIEF_sparse_same_size;
    return claim->survivor_llr >= survivor_llr_min && unreleased(claim)
               ? LEAK_BELIEF_sparse_survivors
               : LEAK_BELIEF_none;
}

/* Nearly every hit leaves the same size to the byte, and in no life was there a release that can
 * have been of it.  A cache's would come back one by one, a clean-up's all at once: either is seen
 * in the releases themselves.  Floors are the weaker witness then; they also sink when others give
 * back what they took while they were young. */
static bool lasting(const struct leak_claim *claim)
{
    return claim->steady && claim->mode_share >= lasting_mode_min &&
           (claim->uncovered >= lasting_uncovered_min || claim->tested_hits < TESTED_HITS_MIN) &&
           claim->matched <= lasting_matched_max && claim->given_back <= given_back_max &&
           claim->strength >= lasting_llr_min && !claim->sparse;
}

static bool denied_by_floor(const struct leak_claim *claim)
{
    return claim->upper < share_min || claim->theta + 2 * claim->theta_error < share_min;
}

static void decide(struct leak_claim *claim, double base)
{
    if (claim->confirmed) {
        claim->belief = LEAK_BELIEF_survivors;
    } else if (claim->chunks) {
        claim->outcome = LEAK_VERDICT_suspect;
        if (claim->theta + 2 * claim->theta_error >= share_min)
            claim->belief = LEAK_BELIEF_chunks;
    } else if (lasting(claim)) {
        claim->belief = LEAK_BELIEF_same_size;
    } else if (claim->tested_hits < TESTED_HITS_MIN) {
        claim->outcome = LEAK_VERDICT_insufficient;
        if (!claim->sparse && claim->strength >= untested_llr_min && steady_and_kept(claim))
            claim->belief = LEAK_BELIEF_same_size;
    } else if (denied_by_floor(claim)) {
        claim->outcome = LEAK_VERDICT_bounded_cache;
    } else {
        claim->outcome = LEAK_VERDICT_suspect;
        claim->belief = claim->sparse ? believe_sparse(claim) : believe_dense(claim, base);
    }
    if (claim->belief != LEAK_BELIEF_none)
        claim->outcome = LEAK_VERDICT_leak;
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
        claim->declines = denied_by_decline(&bench, claim);
        if (!claim->confirmed && !claim->chunks &&
            (claim->declines || denied_by_samples(&bench, claim) ||
             denied_by_deaths(&bench, claim)))
            claim->outcome = LEAK_VERDICT_bounded_cache;
        else
            bench.column[bench.columns++] = claim;
    }
    if (bench.columns == 0)
        return;
    measure_jitter(&bench);
    solve(&bench);
    for (size_t c = 0; c < bench.columns; c++)
        decide(bench.column[c], bench.base);
}

void leak_veto_apply(struct leak_analyzer *analyzer, struct leak_claims *claims)
{
    for (int channel = 0; channel < LEAK_CHANNELS; channel++)
        apply_channel(analyzer, claims, (enum leak_channel) channel);
}
