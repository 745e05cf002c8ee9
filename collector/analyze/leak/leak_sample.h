/*
 * leak_sample.h - the sampled ledger: blocks that survive, counted per route and stack.
 *
 * A sample stands for 1/p blocks and size/p bytes, p = 1 - exp(-size/T).  A block that lived for
 * `scale.mature` requests is a survivor and speaks for a leak; its later death speaks louder
 * against one.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_SAMPLE_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_SAMPLE_H

#include "analyze/leak/leak_state.h"

/* A block that outlived its request (`smp`). */
void leak_sample_born(struct leak_analyzer *analyzer, const struct event *event);

/* It was freed after all (`fre`). */
void leak_sample_freed(struct leak_analyzer *analyzer, const struct event *event);

/* The worker is one request older: blocks may have become survivors. */
void leak_samples_mature(struct leak_analyzer *analyzer, struct leak_worker *worker);

/* The worker is gone, and its blocks with it: neither survivors nor freed. */
void leak_samples_close(struct leak_analyzer *analyzer, struct leak_worker *worker);

/* Hardly any of its survivors was freed or moved later. */
bool leak_pair_stays(const struct leak_pair *pair);

/* At least four routes have survivors of this stack, and none has half of them. */
bool leak_pair_is_shared(const struct leak_analyzer *analyzer, const struct leak_pair *pair);

/* The pair of the route with the highest LLR among its own that stay, or NULL. */
const struct leak_pair *leak_best_pair(const struct leak_analyzer *analyzer, uint32_t ref);

/* Enough survivors at old ages, net of deaths, to believe the pair's LLR. */
bool leak_pair_is_solid(const struct leak_pair *pair);

/* Lives had more than two of its survivors: they are no one-offs. */
bool leak_pair_repeats(const struct leak_pair *pair);

/* The route's survivors belong to a shared stack, surely enough to say so; NULL if not. */
const struct leak_pair *leak_pair_shared_of(const struct leak_analyzer *analyzer, uint32_t ref);

#endif
