/* leak_label.c - rules of thumb for what is not a leak, the most telling first. */
#include "analyze/leak_label.h"

#include "analyze/leak_ledger.h"

enum { HITS_MIN = 8 };

enum leak_verdict leak_label(const struct leak_analyzer *analyzer,
                             const struct leak_route_state *route, const struct leak_claim *claim)
{
    (void) analyzer;
    if (claim)
        return claim->outcome;
    if (route->ledgers[LEAK_HEAP].deep_hits < HITS_MIN)
        return LEAK_VERDICT_insufficient;
    return LEAK_VERDICT_clean;
}
