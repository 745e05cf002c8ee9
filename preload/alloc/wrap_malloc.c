/*
 * wrap_malloc.c - the exported malloc family over glibc: the host's call, then two adds.
 *
 * glibc's own functions are called by their __libc_ names, so that nothing needs to be looked up
 * and allocation works before any constructor has run.  libfpmscope-jemalloc.so has
 * wrap_malloc_jemalloc.c in the place of this file.
 *
 * (Not under banned.h: this file defines what that forbids.)
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "alloc/ledger.h"
#include "alloc/samples.h"
#include "alloc/wrap_malloc.h"
#include "base/marks.h"
#include "base/real.h"

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *ptr, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);
extern void __libc_free(void *ptr);

SHIM_EXPORT void *memalign(size_t alignment, size_t bytes);
SHIM_EXPORT size_t malloc_usable_size(void *ptr);

#define CALLER __builtin_return_address(0)
/* Off the straight way, so that this keeps to a few instructions and needs no stack frame. */
#define ASIDE static __attribute__((noinline, cold))

/* Inert processes, the shim's own allocations, and threads that got no counters. */
ASIDE void *note_shared(void *ptr)
{
    size_t bytes = ledger_size(ptr);

    if (bytes > 0)
        ledger_add_shared(bytes);
    return ptr;
}

/* On the thread that runs PHP perhaps it is a sample; another one may have no counters yet. */
ASIDE void *note_with_thought(void *ptr, size_t bytes, const void *caller)
{
    if (!thread_self.slot && !ledger_adopt())
        return note_shared(ptr);
    ledger_settle();
    if (ledger_add(thread_self.slot, bytes) >= thread_self.slot->sample_at_bytes)
        samples_due(ptr, bytes, caller);
    ledger_grant();
    return ptr;
}

/* Any block on any thread. */
ASIDE void *note_with_care(void *ptr, const void *caller)
{
    size_t bytes = chunk_net_bytes(ptr);

    if (unlikely(!thread_self.slot || thread_self.main))
        return note_with_thought(ptr, bytes, caller);
    ledger_add(thread_self.slot, bytes);
    return ptr;
}

/* The room is too small for this block, because it is a sample or because this thread has none. */
ASIDE void *note_aside(void *ptr, const void *caller)
{
    thread_self.room_bytes += (int64_t) chunk_net_bytes(ptr); /* was taken from it in vain */
    return note_with_care(ptr, caller);
}

/* Enter a new block in the books.  Inlined, so that CALLER is that of the exported function: where
 * the host's stack begins. */
static inline __attribute__((always_inline)) void *note(void *ptr)
{
    if (unlikely(!ptr))
        return NULL;
    thread_self.room_bytes -= (int64_t) chunk_net_bytes(ptr);
    return likely(thread_self.room_bytes >= 0) ? ptr : note_aside(ptr, CALLER);
}

SHIM_EXPORT SHIM_HOT void *malloc(size_t bytes)
{
    return note(__libc_malloc(bytes));
}

SHIM_EXPORT void *calloc(size_t count, size_t bytes)
{
    return note(__libc_calloc(count, bytes));
}

SHIM_EXPORT void *memalign(size_t alignment, size_t bytes)
{
    return note(__libc_memalign(alignment, bytes));
}

/* Whatever is not the usual case: nothing, a thread without room, perhaps a sample. */
ASIDE void free_aside(void *ptr)
{
    size_t bytes;

    if (!ptr)
        return;
    if (live_may_hold(&samples_live, ptr))
        samples_freed(ptr);
    if (likely(thread_self.slot || ledger_adopt()))
        ledger_remove(thread_self.slot, chunk_net_bytes(ptr));
    else if ((bytes = ledger_size(ptr)) > 0)
        ledger_remove_shared(bytes);
    __libc_free(ptr);
}

/* Counted before the real free: afterwards another thread may own the address. */
SHIM_EXPORT SHIM_HOT void free(void *ptr)
{
    size_t bytes;

    if (unlikely(thread_self.free_filter[free_filter_class(ptr)])) {
        free_aside(ptr);
        return;
    }
    bytes = chunk_net_bytes(ptr);
    __asm__("" : "+r"(bytes)); /* or gcc spreads the sum over four instructions instead of three */
    thread_self.freed_bytes += bytes;
    __libc_free(ptr);
}

ASIDE void *realloc_aside(void *ptr, size_t bytes, const void *caller)
{
    size_t old_bytes = ptr ? ledger_size(ptr) : 0;
    const struct samples_move move = samples_realloc_begin(ptr);
    void *moved = __libc_realloc(ptr, bytes);
    bool gone = moved || bytes == 0;

    samples_realloc_end(move, ptr, gone);
    if (old_bytes > 0 && gone)
        ledger_remove_shared(old_bytes);
    return moved ? note_with_care(moved, caller) : NULL;
}

/* The size of the old block is gone once the real call has been made; a realloc() that fails leaves
 * it alone, one to nothing frees it. */
SHIM_EXPORT void *realloc(void *ptr, size_t bytes)
{
    size_t old_bytes;
    void *moved;

    if (unlikely(thread_self.free_filter[free_filter_class(ptr)]))
        return realloc_aside(ptr, bytes, CALLER);
    old_bytes = chunk_net_bytes(ptr);
    moved = __libc_realloc(ptr, bytes);
    if (likely(moved || bytes == 0))
        thread_self.freed_bytes += old_bytes;
    return note(moved);
}

SHIM_EXPORT size_t malloc_usable_size(void *ptr)
{
    return real.malloc_usable_size(ptr);
}

bool wrap_malloc_is_foreign(void)
{
    return false;
}

unsigned wrap_malloc_grain_bits(void)
{
    return 4;
}

static size_t size_by_header(void *ptr)
{
    return chunk_net_bytes(ptr);
}

void wrap_malloc_open_ledger(void)
{
    static const struct chunk_allocator host = {
        .allocate = __libc_malloc,
        .align = __libc_memalign,
        .resize = __libc_realloc,
        .release = __libc_free,
        .usable = malloc_usable_size,
    };

    if (chunk_trust(&host)) {
        ledger_open(size_by_header, true);
        thread_self.free_filter = live_filter(&samples_live);
    } else {
        ledger_open(host.usable, false);
    }
}

/* Our own, whoever else has the name. */
extern __typeof__(malloc) wrap_malloc_ours
    __attribute__((alias("malloc"), visibility("hidden"), copy(malloc)));

bool wrap_malloc_in_charge(void)
{
    return malloc == wrap_malloc_ours;
}
