/*
 * wrap_malloc_family.c - what is put together from malloc(), memalign() and realloc(), whichever
 * allocator is behind them.
 *
 * Through the PLT: where another allocator was preloaded before us, its blocks stay its own.
 *
 * (Not under banned.h: this file defines what that forbids.)
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/marks.h"

extern void *memalign(size_t alignment, size_t bytes);
SHIM_EXPORT void *valloc(size_t bytes);
SHIM_EXPORT void *pvalloc(size_t bytes);

SHIM_EXPORT void *reallocarray(void *ptr, size_t count, size_t bytes)
{
    size_t total;

    if (__builtin_mul_overflow(count, bytes, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(ptr, total);
}

SHIM_EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    return memalign(alignment, bytes);
}

SHIM_EXPORT int posix_memalign(void **ret_ptr, size_t alignment, size_t bytes)
{
    int saved_errno = errno;
    void *ptr;

    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    ptr = memalign(alignment, bytes);
    errno = saved_errno; /* posix_memalign() leaves it alone */
    if (!ptr)
        return ENOMEM;
    *ret_ptr = ptr;
    return 0;
}

SHIM_EXPORT void *valloc(size_t bytes)
{
    return memalign((size_t) sysconf(_SC_PAGESIZE), bytes);
}

SHIM_EXPORT void *pvalloc(size_t bytes)
{
    size_t page_bytes = (size_t) sysconf(_SC_PAGESIZE), whole;

    if (__builtin_add_overflow(bytes, page_bytes - 1, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return memalign(page_bytes, whole & ~(page_bytes - 1));
}
