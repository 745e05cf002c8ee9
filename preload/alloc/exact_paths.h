/*
 * exact_paths.h - "the same way here as before?", for every native allocation of the exact mode.
 *
 * Unwinding and hashing a stack costs more than a microsecond.  A path is a stack that was unwound
 * once in this request, and where on the machine's stack its return addresses lay.  Who comes with
 * the same PHP frames (context.h), from the same caller, at the same depth of the machine's stack,
 * and finds the same return addresses in the same places, came the same way: a load and a
 * comparison for each frame, 1 ns.
 *
 *   group = exact_paths_find(&paths, &here)          0: not met in this request
 *   exact_paths_keep(&paths, &here, pcs, n, group)   after it was unwound
 *
 * A frame's return address lies at the first word outwards of the last one's that has its value. (A
 * stale word with that value may come before it: then the path is perhaps not met again, and
 * unwound each time.)  Frames whose address is not found are not compared: the outermost, which are
 * the same for all.  A path none of whose frames is found is not kept.
 *
 * Main thread.  Nothing is read but `words` of this thread's own stack.
 */
#ifndef FPMSCOPE_ALLOC_EXACT_PATHS_H
#define FPMSCOPE_ALLOC_EXACT_PATHS_H

#include <stddef.h>
#include <stdint.h>

#include "fpmscope/limits.h"

enum {
    EXACT_PATH_BITS = 12,
    EXACT_PATHS = 1 << EXACT_PATH_BITS,
    EXACT_PATH_TRIES = 4, /* neighbouring places of one key */
};

/* Where the host stands. */
struct exact_here {
    uint64_t seq;           /* of the request */
    uint64_t context;       /* of its PHP frames */
    const void *caller;     /* return address of the wrapped function */
    const uintptr_t *frame; /* a place on the stack inwards of where that lies */
    size_t words;           /* that may be read from there */
};

struct exact_path {
    uint64_t key, seq;
    uint32_t group;
    uint32_t count;
    uint32_t words[LIMIT_NATIVE_FRAMES]; /* from `frame` to each return address */
    uint32_t pcs[LIMIT_NATIVE_FRAMES];   /* their lower halves */
};

/* Zero-initialised. */
struct exact_paths {
    struct exact_path items[EXACT_PATHS];
};

uint32_t exact_paths_find(const struct exact_paths *paths, const struct exact_here *here);

/* `pcs`: return addresses, the caller's first. */
void exact_paths_keep(struct exact_paths *paths, const struct exact_here *here,
                      const uintptr_t *pcs, size_t count, uint32_t group);

#endif
