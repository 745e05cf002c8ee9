/*
 * growth.h - moments at which the Zend heap took memory from the system, with the PHP stack.
 *
 * Between 2 MB steps PHP serves itself from what it has, so these come for free; and because it
 * keeps some chunks from request to request, they show growth above this worker's habit, not use.
 *
 * The last ones stay in the recorder page, where they survive SIGKILL and the OOM killer.
 */
#ifndef FPMSCOPE_ALLOC_GROWTH_H
#define FPMSCOPE_ALLOC_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emit/batch.h"
#include "recorder/recorder.h"
#include "stack/worker_stacks.h"

enum { GROWTH_CHUNK_BYTES = 2 << 20, GROWTH_PAGE_BYTES = 4096, GROWTH_PER_REQUEST_MAX = 64 };

/* Borrowed for the life of the process. */
struct growth_setup {
    struct worker_stacks *stacks;
    struct batch *batch;
    struct recorder *recorder;
};

/*
 * Tells the Zend heap's mappings from others.  PHP needs chunks and huge blocks aligned to 2 MB, so
 * it asks for what it needs; when the answer is not aligned, it gives that back and asks for so
 * much more that an aligned piece can be cut out of it.
 */
struct growth_probe {
    size_t asked_bytes; /* of the last answer that was not aligned */
};

/* The size of the chunk or huge block that this anonymous mapping is for, 0 when it is for none. */
size_t growth_of_mapping(struct growth_probe *probe, const void *addr, size_t len_bytes);

void growth_start(const struct growth_setup *setup);
void growth_begin(uint64_t seq); /* of a request */
void growth_end(void);

/* After a successful mmap() or, with what was added, mremap(); `caller` as in samples_due(). */
void growth_mapped(const void *addr, size_t len_bytes, const void *caller);
void growth_extended(size_t added_bytes, const void *caller);

#endif
