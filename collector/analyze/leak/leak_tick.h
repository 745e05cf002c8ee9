/* leak_tick.h - now and then: look at all claims, and remember which routes were flagged when. */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_TICK_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_TICK_H

#include "analyze/leak/leak_claim.h"

/* Evaluate the state as it is after request number `analyzer->coverage.requests`. */
void leak_tick(struct leak_analyzer *analyzer, struct leak_claims *ret_claims);

/* What every route keeps is a leak of its own ("*"), found again in the floors. */
bool leak_global_claimed(const struct leak_claims *claims);

#endif
