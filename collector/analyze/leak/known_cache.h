/*
 * known_cache.h - growth that a cache of PHP explains, although it has not come to its end yet.
 *
 * A cache of thousands of entries outlasts every test of the leak method: until it is full it grows
 * with every request.  Its stack is known, and so is its bound.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_KNOWN_CACHE_H
#define FPMSCOPE_ANALYZE_LEAK_KNOWN_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { KNOWN_CACHE_NONE = -1 };

/* How sure we are that a route leaks although a known cache explains its growth. */
#define KNOWN_CACHE_CONFIDENCE 0.02

/* The row of known_caches.def that a stack with these native frames fills, or KNOWN_CACHE_NONE. */
int known_cache_of(const struct slice *frames, size_t count);

/*
 * Why the growth of that cache will end by itself: a clause, static.  NULL for KNOWN_CACHE_NONE, or
 * when `hits_per_worker` would have filled it twice.
 */
const char *known_cache_reason(int cache, uint64_t hits_per_worker);

#endif
