/*
 * leak_belief.h - how sure a claim is that has been weighed: which of its signs, taken together,
 * make it a leak, a cache, or something that nobody can tell yet.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_BELIEF_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_BELIEF_H

#include "analyze/leak/leak_claim.h"

/* Fills outcome and belief.  `base_bytes`: what a hit of any route seems to leave; above 0 all of
 * them grow, and growth alone is no news about one. */
void leak_belief_decide(struct leak_claim *claim, double base_bytes);

#endif
