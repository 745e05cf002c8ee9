/*
 * leak_chunk.h - who fills an arena that grows by chunks?
 *
 * A leak out of an arena shows as a chunk now and then, always of one size, and whoever finds the
 * arena full pays for it: often a route that leaks nothing.  What tells the culprit is its count.
 * From one chunk to the next it is hit nearly the same number of times, for its hits fill the
 * chunk; all others are hit as often as chance has it.
 *
 * One size is followed at a time, the one that was seen most often.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_CHUNK_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_CHUNK_H

#include "analyze/leak/leak_state.h"

/* A request of the worker left (or gave back) `delta` heap bytes; `visit` is its route's. */
void leak_chunk_note(struct leak_analyzer *analyzer, struct leak_worker *worker,
                     const struct leak_visit *visit, int64_t delta);

/* What a route fills, as far as its counts tell. */
struct leak_filling {
    double strength; /* how surely it is regular: a logarithm, 0 = not at all */
    double hits_per_chunk;
    double chunk_bytes;
};

struct leak_filling leak_chunk_filling(const struct leak_analyzer *analyzer,
                                       const struct leak_route_state *route);

#endif
