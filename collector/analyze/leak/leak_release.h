/*
 * leak_release.h - whose memory was it that a later request released?
 *
 * Two exact signs.  A release of exactly the size of a growth within the last LEAK_GROWTHS ones
 * gives that growth back: time-limited caches and slow delayed frees do so.  A release at least as
 * large as most of what a route has kept in the worker since the last such release covers it:
 * periodic clean-ups do so again and again, while under a leak the uncovered run becomes as long as
 * the life.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_RELEASE_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_RELEASE_H

#include "analyze/leak/leak_state.h"

/* A request of the worker left (or gave back) `delta` heap bytes; `visit` is its route's.  What a
 * lazy hit left belongs to nobody's run, but a clean-up may give it back. */
void leak_release_note(struct leak_analyzer *analyzer, struct leak_worker *worker,
                       struct leak_visit *visit, int64_t delta, bool lazy);

/* The longest uncovered run over all growth, added up over lives, 0..1; 0 when nothing grew. */
double leak_release_uncovered(struct leak_analyzer *analyzer, uint32_t ref);

/* Share of the route's growth that came back in its exact size. */
double leak_release_matched(const struct leak_ledger *ledger);

#endif
