/* leak_worker.h - workers' lives: which request of which life an event is, and what it left. */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_WORKER_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_WORKER_H

#include "analyze/leak/leak_state.h"

/* The worker with this pid, or NULL. */
struct leak_worker *leak_worker_find(struct leak_analyzer *analyzer, int64_t pid);

/* A finished request of route `ref`: ages, cancellation, ledgers, floor. */
void leak_worker_request(struct leak_analyzer *analyzer, const struct event *event, uint32_t ref);

/* The life that `event` speaks of is over (`end`, `exit`), or a new one of that pid begins
 * (`start`). */
void leak_worker_end(struct leak_analyzer *analyzer, const struct event *event);

/* Age of the worker: requests since its birth or since the pool last warmed up again. */
static inline uint32_t leak_worker_age(const struct leak_worker *worker)
{
    return worker->last_seq - worker->born_seq;
}

#endif
