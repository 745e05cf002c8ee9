/*
 * known_cache.h - growth that a cache of PHP explains, although it has not come to its end yet.
 *
 * A cache of thousands of entries outlasts every test of the leak method: until it is full it grows
 * with every request.  Its stack is known, and so is its bound.
 */
#ifndef FPMSCOPE_ANALYZE_KNOWN_CACHE_H
#define FPMSCOPE_ANALYZE_KNOWN_CACHE_H

#include <stdint.h>

#include "analyze/summary.h"

/*
 * Why the growth whose stack is `frames` will end by itself: a clause, static.  NULL when it goes
 * through no cache of known_caches.def, or when `hits_per_worker` would have filled it twice.
 */
const char *known_cache_reason(const struct summary_frames *frames, uint64_t hits_per_worker);

#endif
