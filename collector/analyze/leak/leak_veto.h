/*
 * leak_veto.h - conservation: what a route is claimed to keep must raise the floor of its workers.
 *
 * This is the step that removes false alarms.  Over the recent intervals between floors, the exact
 * growth y is compared with what the claims predict, beta * hits, by nonnegative least squares with
 * one free column for growth that nobody claims.  The coefficient theta of a true claim is near 1;
 * of a cache that is full, of a delayed free or of a periodic clean-up it is near 0.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_VETO_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_VETO_H

#include "analyze/leak/leak_claim.h"

/* Decide every claim of `claims`: fills theta, error, upper, tested_hits and outcome. */
void leak_veto_apply(struct leak_analyzer *analyzer, struct leak_claims *claims);

#endif
