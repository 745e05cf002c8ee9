/* leak_balance.c - see leak_balance.h. */
#include "analyze/leak/leak_balance.h"

#include <math.h>
#include <stdlib.h>

#include "analyze/leak/leak_nnls.h"

static const double usual_percentile = .8, clip_usual = 4, clip_predicted = 10;
enum { JITTER_HITS_MIN = 16 };

/*
 * Jitter: what a hit seems to leave, though later ones take it back.  It is in growth and in
 * releases alike; a cache that fills is only in the one, a clean-up only in the other: the smaller
 * of the two is nearer to the truth.  Lazy hits have jitter too, but their growth is taken off the
 * floor whole: this gives it back, route by route, or by the average of all for a rare route.
 */
static void measure_jitter(struct leak_balance *balance)
{
    double growth = 0, growth_sq = 0, release = 0, release_sq = 0, hits = 0;

    for (size_t slot = 0; slot < balance->analyzer->options.max_routes; slot++) {
        const struct leak_route_state *route = &balance->analyzer->routes[slot];
        const struct leak_ledger *ledger = &route->ledgers[balance->channel];

        if (!route->used || leak_claims_find(balance->claims,
                                             route->generation << LEAK_SLOT_BITS | (uint32_t) slot))
            continue;
        growth += ledger->growth_sum;
        growth_sq += ledger->growth_sq;
        release += ledger->release_sum;
        release_sq += ledger->release_sq;
        hits += ledger->settled_n;
    }
    if (hits < 1)
        return;
    balance->jitter = fmin(growth, release) / hits;
    balance->jitter_sq = fmin(growth_sq, release_sq) / hits;
}

/* Give back the jitter of the share's lazy hits; returns it. */
static double lazy_jitter(struct leak_balance *balance, const struct leak_share *share)
{
    const struct leak_route_state *route = leak_route_of(balance->analyzer, share->ref);
    const struct leak_ledger *ledger = route ? &route->ledgers[balance->channel] : NULL;
    double mean = balance->jitter, square = balance->jitter_sq;

    if (ledger && ledger->settled_n >= JITTER_HITS_MIN) {
        mean = fmin(ledger->growth_sum, ledger->release_sum) / ledger->settled_n;
        square = fmin(ledger->growth_sq, ledger->release_sq) / ledger->settled_n;
    }
    balance->lazy_sq += square * share->lazy_hits;
    return mean * share->lazy_hits;
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
static double row_of(struct leak_balance *balance, const struct leak_interval *interval,
                     double *hits)
{
    const double slack = 3 * (double) balance->analyzer->options.interval_bytes;
    double y = interval->growth - balance->base * settled_hits(interval) +
               fmax(0, interval->early_freed - slack);

    for (size_t c = 0; c < balance->columns; c++)
        hits[c] = 0;
    for (size_t i = 0; i < interval->share_count; i++) {
        const struct leak_share *share = &interval->shares[i];

        y += lazy_jitter(balance, share);
        for (size_t c = 0; c < balance->columns; c++)
            if (balance->column[c]->ref == share->ref)
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
static void clip(struct leak_balance *balance, double predicted[LEAK_INTERVALS])
{
    const struct leak_interval_ring *ring = &balance->analyzer->intervals[balance->channel];
    double sizes[LEAK_INTERVALS], usual;

    for (uint32_t i = 0; i < ring->count; i++)
        sizes[i] = fabs(balance->y[i] - predicted[i]);
    qsort(sizes, ring->count, sizeof *sizes, leak_compare_double);
    usual = sizes[(size_t) (usual_percentile * ring->count)];
    for (uint32_t i = 0; i < ring->count; i++) {
        const double limit = clip_usual * usual + clip_predicted * predicted[i];

        balance->y[i] = fmin(fmax(balance->y[i], -limit), limit);
    }
}

/* One more column: growth that nobody claims. */
static void fill_problem(struct leak_balance *balance, struct leak_nnls *problem)
{
    const struct leak_interval_ring *ring = &balance->analyzer->intervals[balance->channel];
    double hits[LEAK_INTERVALS][LEAK_NNLS_COLUMNS_MAX], predicted[LEAK_INTERVALS] = {0};

    problem->columns = balance->columns + 1;
    for (uint32_t i = 0; i < ring->count; i++) {
        balance->y[i] = row_of(balance, &ring->items[i], hits[i]);
        for (size_t c = 0; c < balance->columns; c++) {
            balance->column[c]->tested_hits += (uint32_t) hits[i][c];
            hits[i][c] *= balance->column[c]->beta_bytes;
            balance->predicted[c] += hits[i][c];
            predicted[i] += hits[i][c];
        }
        hits[i][balance->columns] = ring->items[i].length;
    }
    clip(balance, predicted);
    for (uint32_t i = 0; i < ring->count; i++)
        leak_nnls_add(problem, hits[i], balance->y[i]);
}

/* Before the rows tell one claim from another, each of them is expected to be as true as all are
 * together: conservation holds in total. */
static void expect_shares(const struct leak_balance *balance, struct leak_nnls *problem)
{
    const struct leak_interval_ring *ring = &balance->analyzer->intervals[balance->channel];
    double growth = 0, claimed = 0;

    for (uint32_t i = 0; i < ring->count; i++)
        growth += balance->y[i];
    for (size_t c = 0; c < balance->columns; c++)
        claimed += balance->predicted[c];
    for (size_t c = 0; c < balance->columns && claimed > 0; c++) {
        problem->expected[c] = fmin(fmax(growth / claimed, 0), 1);
        problem->expected_error[c] = 1;
    }
}

/* Growth that is not explained by lazy hits and confirmed leaks: all that a claim can be part of.
 */
static double unexplained(struct leak_balance *balance, const struct leak_nnls *problem)
{
    const struct leak_interval_ring *ring = &balance->analyzer->intervals[balance->channel];
    double sum = 0;

    for (uint32_t i = 0; i < ring->count; i++)
        sum += balance->y[i];
    for (size_t c = 0; c < balance->columns; c++)
        if (balance->column[c]->confirmed)
            sum -= problem->x[c] * balance->predicted[c];
    return sum;
}

static void solve(struct leak_balance *balance)
{
    const struct leak_interval_ring *ring = &balance->analyzer->intervals[balance->channel];
    struct leak_nnls problem = {0};
    double growth, noise, total = 0;

    if (ring->count == 0)
        return;
    fill_problem(balance, &problem);
    expect_shares(balance, &problem);
    leak_nnls_solve(&problem);
    /* A floor does not sink for long: less than nothing means that lazy growth was released later.
     */
    growth = fmax(0, unexplained(balance, &problem));
    noise = mad_sigma(balance->y, ring->count) * sqrt((double) count_lives(ring)) +
            sqrt(balance->lazy_sq);
    for (size_t c = 0; c < balance->columns; c++)
        total += balance->column[c]->confirmed ? 0 : balance->predicted[c];
    for (size_t c = 0; c < balance->columns; c++) {
        balance->column[c]->balance = growth / total;
        balance->column[c]->balance_error = noise / total;
        balance->column[c]->theta = problem.x[c];
        balance->column[c]->theta_error = problem.error[c];
        balance->column[c]->upper =
            balance->predicted[c] > 0 ? (growth + 2 * noise) / balance->predicted[c] : INFINITY;
    }
}

void leak_balance_weigh(struct leak_balance *balance)
{
    if (balance->columns == 0)
        return;
    measure_jitter(balance);
    solve(balance);
}
