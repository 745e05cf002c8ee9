/* chunk.c - see chunk.h. */
#include "alloc/chunk.h"

#include <stdint.h>

#include "banned.h"

static bool chunk_agrees(const struct chunk_allocator *allocator, void *ptr)
{
    return ptr && (uintptr_t) ptr % _Alignof(max_align_t) == 0 &&
           chunk_usable_bytes(ptr) == allocator->usable(ptr);
}

static bool chunk_try_sizes(const struct chunk_allocator *allocator)
{
    static const size_t sizes_bytes[] = {1, 24, 25, 1000, 4096};
    bool agree = true;

    for (size_t i = 0; i < sizeof sizes_bytes / sizeof *sizes_bytes; i++) {
        void *ptr = allocator->allocate(sizes_bytes[i]);

        agree = chunk_agrees(allocator, ptr) && agree;
        allocator->release(ptr);
    }
    return agree;
}

static bool chunk_try_alignments(const struct chunk_allocator *allocator)
{
    static const size_t alignments[] = {64, 4096};
    bool agree = true;

    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        void *ptr = allocator->align(alignments[i], 1000);

        agree = chunk_agrees(allocator, ptr) && agree;
        allocator->release(ptr);
    }
    return agree;
}

/* In place and moved, in the arena and mapped.  The mapped block shrinks to a page before it is
 * freed: to free a large one would raise glibc's threshold for mapping, and change how the host's
 * memory behaves for good. */
static bool chunk_try_resizing(const struct chunk_allocator *allocator)
{
    static const size_t sizes_bytes[] = {80, 60, 3000, 1 << 20, 2 << 20, 100};
    void *ptr = allocator->allocate(40);
    bool agree = chunk_agrees(allocator, ptr);

    for (size_t i = 0; agree && i < sizeof sizes_bytes / sizeof *sizes_bytes; i++) {
        void *moved = allocator->resize(ptr, sizes_bytes[i]);

        if (moved)
            ptr = moved;
        agree = chunk_agrees(allocator, moved);
    }
    allocator->release(ptr);
    return agree;
}

bool chunk_trust(const struct chunk_allocator *allocator)
{
    return chunk_try_sizes(allocator) && chunk_try_alignments(allocator) &&
           chunk_try_resizing(allocator);
}
