/*
 * leak_floor.h - the floor under a worker's live bytes: what stays, whatever comes and goes.
 *
 * In each window of requests the lowest level is the floor; from one floor to the next goes an
 * interval, which remembers by how much the floor rose and which routes were served meanwhile.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_FLOOR_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_FLOOR_H

#include "analyze/leak/leak_state.h"

/* A worker begins a life, or warms up again: no floor yet. */
void leak_floor_reset(struct leak_worker *worker);

/* The worker finished its request number `age`; `step->level` is to be filled by the caller. */
void leak_floor_step(struct leak_analyzer *analyzer, struct leak_worker *worker, uint32_t age,
                     const struct leak_step *step);

/* Warm-up blocks of `bytes` (unbiased) were freed during the worker's last step. */
void leak_floor_early_freed(struct leak_worker *worker, double bytes);

#endif
