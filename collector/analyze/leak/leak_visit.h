/* leak_visit.h - what one worker remembers of each route it served: a small hash table. */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_VISIT_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_VISIT_H

#include "analyze/leak/leak_state.h"

/* The worker's visit of route `ref`, made when it is new; NULL when there is no room (then the hit
 * counts as a first one, which proves nothing).  Valid until the next call. */
struct leak_visit *leak_visit_of(struct leak_analyzer *analyzer, struct leak_worker *worker,
                                 uint32_t ref);

/* The same, but NULL when there is none. */
const struct leak_visit *leak_visit_find(const struct leak_worker *worker, uint32_t ref);

/* Forget all visits and release their memory; what they knew goes into the routes' ledgers. */
void leak_visits_close(struct leak_analyzer *analyzer, struct leak_worker *worker);

size_t leak_visits_bytes(const struct leak_worker *worker);

#endif
