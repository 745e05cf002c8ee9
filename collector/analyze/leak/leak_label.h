/* leak_label.h - a route that is not blamed: why not. */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_LABEL_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_LABEL_H

#include "analyze/leak/leak_claim.h"

/* The verdict of route `ref`, which exists; `claim` is its strongest claim or NULL; `base_bytes` is
 * what every route keeps. */
enum leak_verdict leak_label(struct leak_analyzer *analyzer, uint32_t ref,
                             const struct leak_claim *claim, double base_bytes);

/* KiB per 100 requests by which the floor of RSS rises above that of live bytes; 0 when it is not
 * worth a word. */
double leak_fragmentation(const struct leak_analyzer *analyzer);

/* How many times the usual memory the largest requests took; 0 when none stands out. */
double leak_peak_factor(const struct leak_route_state *route);

#endif
