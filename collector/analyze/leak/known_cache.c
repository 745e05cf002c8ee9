/* known_cache.c - does the stack go through one of known_caches.def? */
#include "analyze/leak/known_cache.h"

static const struct {
    const char *function;
    uint64_t entries;
    const char *reason;
} caches[] = {
#define KNOWN_CACHE(function, entries, reason) {function, entries, reason},
#include "analyze/leak/known_caches.def"
};

int known_cache_of(const struct slice *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < sizeof caches / sizeof *caches; c++)
            if (slice_starts(frames[i], slice_of(caches[c].function)))
                return (int) c;
    return KNOWN_CACHE_NONE;
}

const char *known_cache_reason(int cache, uint64_t hits_per_worker)
{
    if (cache == KNOWN_CACHE_NONE || hits_per_worker > 2 * caches[cache].entries)
        return NULL;
    return caches[cache].reason;
}
