/* leak_cleanup.c - sums of what growing routes left, backwards from a release. */
#include "analyze/leak/leak_cleanup.h"

enum { GROWERS_MAX = 6, RING_MIN = 4 };

/* A route that nearly always grows, and what it has left since the step that is looked at. */
struct grower {
    struct leak_ledger *ledger;
    uint32_t ref;
    double kept_bytes;
};

struct search {
    struct leak_analyzer *analyzer;
    double released;
    size_t count;
    struct grower growers[GROWERS_MAX];
};

/* The route's place, a new one if it grows on three old hits of four; NULL when it does not, or
 * when all places are taken. */
static struct grower *grower_of(struct search *search, uint32_t ref)
{
    struct leak_route_state *route;
    struct leak_ledger *ledger;

    for (size_t i = 0; i < search->count; i++)
        if (search->growers[i].ref == ref)
            return &search->growers[i];
    route = search->count < GROWERS_MAX ? leak_route_of(search->analyzer, ref) : NULL;
    if (!route)
        return NULL;
    ledger = &route->ledgers[LEAK_HEAP];
    if (ledger->ring_count < RING_MIN || ledger->ring_growths * 4 < ledger->ring_count * 3)
        return NULL;
    search->growers[search->count] = (struct grower){.ledger = ledger, .ref = ref};
    return &search->growers[search->count++];
}

/* Do the route's bytes, with those of none, one or two others, make up the release? */
static bool makes_it_up(struct search *search, struct grower *grower)
{
    const double rest = search->released - grower->kept_bytes;

    if (rest == 0) {
        grower->ledger->cleanups++;
        return true;
    }
    for (size_t i = 0; i < search->count && rest > 0; i++) {
        struct grower *second = &search->growers[i];

        if (second == grower || second->kept_bytes > rest)
            continue;
        for (size_t k = i; k < search->count; k++) {
            struct grower *third = &search->growers[k];

            if (third == grower || second->kept_bytes + (k == i ? 0 : third->kept_bytes) != rest)
                continue;
            grower->ledger->cleanups++;
            second->ledger->cleanups++;
            third->ledger->cleanups += k != i;
            return true;
        }
    }
    return false;
}

void leak_cleanup_note(struct leak_analyzer *analyzer, const struct leak_worker *worker,
                       int64_t released)
{
    struct search search = {.analyzer = analyzer, .released = (double) released};

    for (uint32_t back = 1; back <= LEAK_GROWTHS; back++) {
        const struct leak_growth *growth =
            &worker->growths[(worker->growth_at - back) % LEAK_GROWTHS];
        struct grower *grower = growth->bytes > 0 ? grower_of(&search, growth->ref) : NULL;

        if (!grower)
            continue;
        grower->kept_bytes += (double) growth->bytes;
        if (makes_it_up(&search, grower))
            return;
    }
}
