/*
 * wrap_map.c - the exported mmap family: the host's call, then the count of mapped bytes.
 *
 * Async-signal-safe, as the originals are: an add and, on the thread that runs PHP, a look at
 * whether the Zend heap has grown.
 */
#include <stdarg.h>
#include <sys/mman.h>

#include "alloc/growth.h"
#include "alloc/mapped.h"
#include "base/marks.h"
#include "base/real.h"
#include "banned.h"

/* The same function by two names: both are called by programs built with large-file support. */
SHIM_EXPORT void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
    __attribute__((alias("mmap")));

SHIM_EXPORT void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    void *mapped = real.mmap(addr, len, prot, flags, fd, offset);

    if (mapped == MAP_FAILED)
        return mapped;
    if (flags & MAP_SHARED) { /* opcache's memory is nobody's in particular */
        mapped_note_shared(mapped, len);
        return mapped;
    }
    mapped_add(len);
    if (flags & MAP_ANONYMOUS)
        growth_mapped(mapped, len, __builtin_return_address(0));
    return mapped;
}

SHIM_EXPORT int munmap(void *addr, size_t len)
{
    int r = real.munmap(addr, len);

    if (r == 0 && !mapped_forget_shared(addr, len))
        mapped_remove(len);
    return r;
}

SHIM_EXPORT void *mremap(void *addr, size_t old_len, size_t new_len, int flags, ...)
{
    va_list args;
    void *where, *moved;

    va_start(args, flags);
    where = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
    va_end(args);
    moved = real.mremap(addr, old_len, new_len, flags, where);
    if (moved != MAP_FAILED) {
        mapped_add(new_len);
        mapped_remove(old_len);
        if (new_len > old_len)
            growth_extended(new_len - old_len, __builtin_return_address(0));
    }
    return moved;
}
