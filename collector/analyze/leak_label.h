/* leak_label.h - a route that is not blamed: why not. */
#ifndef FPMSCOPE_ANALYZE_LEAK_LABEL_H
#define FPMSCOPE_ANALYZE_LEAK_LABEL_H

#include "analyze/leak_claim.h"

/* The verdict of a route without a leak; `claim` is its strongest claim or NULL. */
enum leak_verdict leak_label(const struct leak_analyzer *analyzer,
                             const struct leak_route_state *route, const struct leak_claim *claim);

#endif
