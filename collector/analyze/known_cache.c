/* known_cache.c - does the stack go through one of known_caches.def? */
#include "analyze/known_cache.h"

static const struct {
    const char *function;
    uint64_t entries;
    const char *reason;
} caches[] = {
#define KNOWN_CACHE(function, entries, reason) {function, entries, reason},
#include "analyze/known_caches.def"
};

const char *known_cache_reason(const struct summary_frames *frames, uint64_t hits_per_worker)
{
    for (size_t i = 0; i < frames->count; i++)
        for (size_t c = 0; c < sizeof caches / sizeof *caches; c++)
            if (slice_starts(frames->items[i], slice_of(caches[c].function)) &&
                hits_per_worker <= 2 * caches[c].entries)
                return caches[c].reason;
    return NULL;
}
