/* leak_visit.c - open addressing by reference; visits of evicted routes are dropped on growth. */
#include "analyze/leak/leak_visit.h"

#include <stdlib.h>

#include "analyze/leak/leak_ledger.h"

enum { SLOTS_MIN = 32 };

static struct leak_visit *slot_of(struct leak_visit *visits, uint32_t slots, uint32_t ref)
{
    uint32_t at = (uint32_t) ((uint64_t) (ref * 2654435769u) * slots >> 32);

    while (visits[at].ref != 0 && visits[at].ref != ref)
        at = at + 1 < slots ? at + 1 : 0;
    return &visits[at];
}

/* Enough slots for every route that can exist, and for half as many evicted ones. */
static uint32_t slots_max(const struct leak_analyzer *analyzer)
{
    const size_t slots = analyzer->options.max_routes + analyzer->options.max_routes / 2;

    return slots < SLOTS_MIN ? SLOTS_MIN : (uint32_t) slots;
}

/* Move the visits of routes that still exist into a table of `slots`. */
static bool rehash(struct leak_analyzer *analyzer, struct leak_worker *worker, uint32_t slots)
{
    struct leak_visit *visits = calloc(slots, sizeof *visits);
    uint32_t count = 0;

    if (!visits)
        return false;
    for (uint32_t i = 0; worker->visits && i < worker->visit_slots; i++) {
        const struct leak_visit *visit = &worker->visits[i];

        if (visit->ref == 0 || !leak_route_of(analyzer, visit->ref))
            continue;
        *slot_of(visits, slots, visit->ref) = *visit;
        count++;
    }
    free(worker->visits);
    worker->visits = visits;
    worker->visit_slots = slots;
    worker->visit_count = count;
    return true;
}

static bool make_room(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    const uint32_t most = slots_max(analyzer);
    uint32_t slots = worker->visits ? worker->visit_slots : 0;

    if (slots > 0 && worker->visit_count < slots - slots / 4)
        return true;
    slots = slots == 0 ? SLOTS_MIN : 2 * slots < most ? 2 * slots : most;
    return rehash(analyzer, worker, slots) && worker->visit_count < slots - slots / 8;
}

struct leak_visit *leak_visit_of(struct leak_analyzer *analyzer, struct leak_worker *worker,
                                 uint32_t ref)
{
    struct leak_visit *visit;

    if (worker->visits) {
        visit = slot_of(worker->visits, worker->visit_slots, ref);
        if (visit->ref == ref)
            return visit;
    }
    if (!make_room(analyzer, worker))
        return NULL;
    visit = slot_of(worker->visits, worker->visit_slots, ref);
    *visit = (struct leak_visit){.ref = ref};
    worker->visit_count++;
    return visit;
}

const struct leak_visit *leak_visit_find(const struct leak_worker *worker, uint32_t ref)
{
    const struct leak_visit *visit =
        worker->visits ? slot_of(worker->visits, worker->visit_slots, ref) : NULL;

    return visit && visit->ref == ref ? visit : NULL;
}

static void close_visit(struct leak_analyzer *analyzer, const struct leak_visit *visit)
{
    struct leak_route_state *route = visit->ref ? leak_route_of(analyzer, visit->ref) : NULL;

    if (!route)
        return;
    route->ledgers[LEAK_HEAP].biggest_sum += visit->biggest;
    route->ledgers[LEAK_HEAP].run_max_sum += visit->run_max;
    route->ledgers[LEAK_HEAP].run_total_sum += visit->run_total;
    route->lives += visit->hits >= LEAK_ACQUAINTED_HITS;
    for (int i = 0; i < LEAK_CHANNELS; i++)
        leak_ledger_close_life(&route->ledgers[i], visit->largest[i]);
}

void leak_visits_close(struct leak_analyzer *analyzer, struct leak_worker *worker)
{
    for (uint32_t i = 0; worker->visits && i < worker->visit_slots; i++)
        close_visit(analyzer, &worker->visits[i]);
    free(worker->visits);
    worker->visits = NULL;
    worker->visit_slots = worker->visit_count = 0;
}

size_t leak_visits_bytes(const struct leak_worker *worker)
{
    return worker->visits ? worker->visit_slots * sizeof *worker->visits : 0;
}
