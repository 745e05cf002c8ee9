/* leak_release.c - exact matches and covered runs. */
#include "analyze/leak/leak_release.h"

#include <math.h>

#include "analyze/leak/leak_cleanup.h"
#include "analyze/leak/leak_visit.h"

static const double cover_share = .7;

static void match(struct leak_analyzer *analyzer, struct leak_worker *worker, int64_t released)
{
    for (size_t i = 0; i < LEAK_GROWTHS; i++) {
        struct leak_growth *growth = &worker->growths[i];
        struct leak_route_state *route;

        if (growth->bytes != released)
            continue;
        route = leak_route_of(analyzer, growth->ref);
        if (route && !growth->lazy)
            route->ledgers[LEAK_HEAP].matched_bytes += (double) released;
        growth->bytes = 0;
        return;
    }
}

static void cover(struct leak_analyzer *analyzer, struct leak_worker *worker, double released)
{
    for (uint32_t i = 0; worker->visits && i < worker->visit_slots; i++) {
        struct leak_visit *visit = &worker->visits[i];
        struct leak_route_state *route;

        if (visit->run <= 0 || released < cover_share * visit->run)
            continue;
        visit->run = 0;
        route = leak_route_of(analyzer, visit->ref);
        if (route)
            route->ledgers[LEAK_HEAP].covers++;
    }
}

void leak_release_note(struct leak_analyzer *analyzer, struct leak_worker *worker,
                       struct leak_visit *visit, int64_t delta, bool lazy)
{
    struct leak_growth *growth;

    if (delta < 0) {
        leak_cleanup_note(analyzer, worker, -delta);
        match(analyzer, worker, -delta);
        cover(analyzer, worker, (double) -delta);
        return;
    }
    if (delta == 0)
        return;
    growth = &worker->growths[worker->growth_at];
    worker->growth_at = (worker->growth_at + 1) % LEAK_GROWTHS;
    *growth = (struct leak_growth){.ref = visit->ref, .lazy = lazy, .bytes = delta};
    if (lazy)
        return;
    visit->run += (float) delta;
    visit->run_total += (float) delta;
    visit->run_max = fmaxf(visit->run_max, visit->run);
}

double leak_release_uncovered(struct leak_analyzer *analyzer, uint32_t ref)
{
    const struct leak_route_state *route = leak_route_of(analyzer, ref);
    double longest = 0, total = 0;

    if (!route)
        return 0;
    longest = route->ledgers[LEAK_HEAP].run_max_sum;
    total = route->ledgers[LEAK_HEAP].run_total_sum;
    for (size_t i = 0; i < analyzer->options.max_workers; i++) {
        const struct leak_visit *visit =
            analyzer->workers[i].used ? leak_visit_find(&analyzer->workers[i], ref) : NULL;

        if (!visit)
            continue;
        longest += visit->run_max;
        total += visit->run_total;
    }
    return total > 0 ? longest / total : 0;
}

double leak_release_matched(const struct leak_ledger *ledger)
{
    return ledger->settled_grown > 0 ? ledger->matched_bytes / ledger->settled_grown : 0;
}
