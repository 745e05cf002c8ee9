/* leak_tick.c - claims, veto, and the first time that a route was called leaking. */
#include "analyze/leak/leak_tick.h"

#include "analyze/leak/leak_veto.h"

bool leak_global_claimed(const struct leak_claims *claims)
{
    return claims->base_bytes[LEAK_HEAP] > 0 || claims->base_bytes[LEAK_MMAP] > 0;
}

void leak_tick(struct leak_analyzer *analyzer, struct leak_claims *ret_claims)
{
    const int64_t now = (int64_t) analyzer->coverage.requests - 1;

    leak_claims_collect(analyzer, ret_claims);
    leak_veto_apply(analyzer, ret_claims);
    if (leak_global_claimed(ret_claims) && analyzer->global_flagged_at < 0) {
        analyzer->global_flagged_at = now;
        analyzer->global_flagged_us = analyzer->last_ts_us;
    }
    for (size_t i = 0; i < ret_claims->count; i++) {
        const struct leak_claim *claim = &ret_claims->items[i];
        struct leak_route_state *route = leak_route_of(analyzer, claim->ref);

        if (claim->outcome != LEAK_VERDICT_leak || !route || route->flagged_at >= 0)
            continue;
        route->flagged_at = now;
        route->flagged_us = analyzer->last_ts_us;
    }
}
