/* mapped.c - see mapped.h. */
#include "alloc/mapped.h"

#include "banned.h"

static int64_t mapped_total_bytes;

void mapped_add(size_t len_bytes)
{
    __atomic_fetch_add(&mapped_total_bytes, (int64_t) len_bytes, __ATOMIC_RELAXED);
}

void mapped_remove(size_t len_bytes)
{
    __atomic_fetch_sub(&mapped_total_bytes, (int64_t) len_bytes, __ATOMIC_RELAXED);
}

uint64_t mapped_bytes(void)
{
    int64_t total = __atomic_load_n(&mapped_total_bytes, __ATOMIC_RELAXED);

    return total > 0 ? (uint64_t) total : 0;
}
