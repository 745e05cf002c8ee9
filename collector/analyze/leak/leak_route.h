/* leak_route.h - the table of routes: text to reference, and who makes room when it is full. */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_ROUTE_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_ROUTE_H

#include "analyze/leak/leak_state.h"

/* The reference of `uri`, a new one when it is new (an old route may be evicted for it).  0 when
 * memory for its text is short. */
uint32_t leak_route_intern(struct leak_analyzer *analyzer, struct slice uri);

#endif
