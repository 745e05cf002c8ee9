/* mapped.c - see mapped.h. */
#include "alloc/mapped.h"

#include <stdbool.h>

#include "banned.h"

static int64_t mapped_total_bytes;

/* Shared mappings that live, by address; 0: a free place. */
static struct {
    uintptr_t address;
    size_t len_bytes;
} mapped_shared[MAPPED_SHARED_MAX];
static uint32_t mapped_shared_count; /* 0: nobody needs to look */

void mapped_note_shared(const void *address, size_t len_bytes)
{
    for (size_t i = 0; i < MAPPED_SHARED_MAX && len_bytes >= MAPPED_SHARED_MIN_BYTES; i++) {
        uintptr_t none = 0;

        if (!__atomic_compare_exchange_n(&mapped_shared[i].address, &none, (uintptr_t) address,
                                         false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        __atomic_store_n(&mapped_shared[i].len_bytes, len_bytes, __ATOMIC_RELAXED);
        __atomic_fetch_add(&mapped_shared_count, 1, __ATOMIC_RELEASE);
        return;
    }
}

bool mapped_forget_shared(const void *address, size_t len_bytes)
{
    if (__atomic_load_n(&mapped_shared_count, __ATOMIC_ACQUIRE) == 0)
        return false;
    for (size_t i = 0; i < MAPPED_SHARED_MAX; i++) {
        uintptr_t expected = (uintptr_t) address;

        if (__atomic_load_n(&mapped_shared[i].len_bytes, __ATOMIC_RELAXED) != len_bytes ||
            !__atomic_compare_exchange_n(&mapped_shared[i].address, &expected, 0, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        __atomic_fetch_sub(&mapped_shared_count, 1, __ATOMIC_RELEASE);
        return true;
    }
    return false;
}

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
