/* leak_worker.h - workers' lives: which request of which life an event is, and what it left. */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_WORKER_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_WORKER_H

#include "analyze/leak/leak_state.h"

/* A finished request of route `ref`: ages, cancellation, ledgers, floor. */
void leak_worker_request(struct leak_analyzer *analyzer, const struct event *event, uint32_t ref);

/* The life that `event` speaks of is over (`end`, `exit`), or a new one of that pid begins
 * (`start`). */
void leak_worker_end(struct leak_analyzer *analyzer, const struct event *event);

#endif
