/*
 * leak_restart.h - when the whole pool warms up again: a deploy, an opcache reset, a cache flush.
 *
 * Then routes that had settled all grow at once, in old workers, and none of them is to blame.  A
 * leak of every request looks the same, but it did so before: only a jump counts.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_RESTART_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_RESTART_H

#include "analyze/leak/leak_state.h"

/* A settled request of route `ref` left `delta_bytes`.  When a window of requests shows a jump,
 * every worker is young again: ages, visits and floors begin anew. */
void leak_restart_note(struct leak_analyzer *analyzer, uint32_t ref, int64_t delta_bytes);

#endif
