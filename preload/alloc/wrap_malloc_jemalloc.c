/*
 * wrap_malloc_jemalloc.c - the exported malloc family over a jemalloc of our own: the host's call,
 * then a look at what jemalloc has counted.
 *
 * jemalloc keeps two counters per thread, bytes allocated and bytes freed, by usable size.  Asking
 * it for the size of a block would cost as much as the call itself; the thread's ledger slot is
 * written from the counters instead.  A slot outlives its threads, hence a base:
 *
 *   slot->allocated_bytes = base + jemalloc's counter
 *
 * On the thread that runs PHP this is done when somebody asks for the sum, so that malloc() only
 * compares the counter with its room, and free() only looks at its filter; other threads do it with
 * every call, because nobody may read their counters while they come and go.
 *
 * The room (thread.h) is not counted down here: it is the reading at which there is something to
 * think about.  Whoever sets it to less, as the ledger and the guard do, sends a call aside, where
 * it is set right.
 *
 * What the shim allocates (the guard is up) is counted by jemalloc all the same, and taken out of
 * the base again.
 *
 * (Not under banned.h: this file defines what that forbids.)
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "alloc/jemalloc_host.h"
#include "alloc/ledger.h"
#include "alloc/samples.h"
#include "alloc/wrap_malloc.h"
#include "base/marks.h"

SHIM_EXPORT void *memalign(size_t alignment, size_t bytes);
SHIM_EXPORT size_t malloc_usable_size(void *ptr);

#define CALLER __builtin_return_address(0)
/* Off the straight way, so that this keeps to a few instructions. */
#define ASIDE static __attribute__((noinline, cold))

/* This thread's counters in jemalloc, and what a reading of 0 means in its slot. */
struct meter {
    const uint64_t *allocated, *freed; /* of `nothing` until the thread has a slot */
    uint64_t allocated_base, freed_base;
};

static const uint64_t nothing;
static __thread struct meter meter
    __attribute__((tls_model("initial-exec"))) = {.allocated = &nothing, .freed = &nothing};

/* A counter of this thread; one that stands still when jemalloc does not know it. */
static const uint64_t *meter_find(const char *name)
{
    uint64_t *counter = NULL;
    size_t len_bytes = sizeof counter;

    return jem_mallctl(name, &counter, &len_bytes, NULL, 0) == 0 && counter ? counter : &nothing;
}

/* A jemalloc that was built without statistics counts nothing. */
static bool meter_works(void)
{
    const uint64_t *allocated = meter_find("thread.allocatedp");
    uint64_t before_bytes = *allocated;
    void *ptr = jem_malloc(1);
    bool works = ptr && *allocated - before_bytes == jem_malloc_usable_size(ptr);

    jem_free(ptr);
    return works;
}

static inline uint64_t meter_allocated_bytes(void)
{
    return meter.allocated_base + *meter.allocated;
}

static inline uint64_t meter_freed_bytes(void)
{
    return meter.freed_base + *meter.freed;
}

/* Go on where the books of the slot ended. */
static void meter_start(const struct ledger_slot *slot)
{
    meter.allocated = meter_find("thread.allocatedp");
    meter.freed = meter_find("thread.deallocatedp");
    meter.allocated_base = slot->allocated_bytes - *meter.allocated;
    meter.freed_base = slot->freed_bytes - *meter.freed;
}

/* Give this thread a slot.  False: it gets none. */
static bool meter_adopt(void)
{
    int saved_errno = errno;
    bool adopted = ledger_adopt();

    if (adopted)
        meter_start(thread_self.slot);
    errno = saved_errno;
    return adopted;
}

static void meter_write(struct ledger_slot *slot)
{
    __atomic_store_n(&slot->allocated_bytes, meter_allocated_bytes(), __ATOMIC_RELAXED);
    __atomic_store_n(&slot->freed_bytes, meter_freed_bytes(), __ATOMIC_RELAXED);
}

/* Somebody asks, on the thread that runs PHP. */
static void meter_refresh(void)
{
    struct ledger_slot *slot = thread_self.busy ? thread_self.parked : thread_self.slot;

    if (slot && thread_self.main)
        meter_write(slot);
}

/* Up to the next sample, on the thread that runs PHP; the others have none. */
static void meter_make_room(void)
{
    const uint64_t reading = thread_self.slot->sample_at_bytes - meter.allocated_base;

    if (!thread_self.main || thread_self.busy)
        return;
    thread_self.room_bytes =
        thread_self.slot->sample_at_bytes == LEDGER_NEVER || reading > INT64_MAX
            ? INT64_MAX
            : (int64_t) reading;
    thread_self.granted_bytes = thread_self.room_bytes; /* none of it is used, ever */
}

/* Before or after a call that is the shim's own: it never happened. */
static void meter_forget(void *ptr, uint64_t *base)
{
    if (thread_self.busy && thread_self.parked)
        *base -= jem_malloc_usable_size(ptr);
}

/* The shim's own allocations, inert processes, and threads that got no counters. */
ASIDE void *note_shared(void *ptr)
{
    size_t bytes = ledger_size(ptr);

    meter_forget(ptr, &meter.allocated_base);
    if (bytes > 0)
        ledger_add_shared(bytes);
    return ptr;
}

/* Whatever is not the usual case: another thread, a sample. */
ASIDE void *note_aside(void *ptr, const void *caller)
{
    if (!ptr)
        return NULL;
    if (!thread_self.slot) {
        if (!meter_adopt())
            return note_shared(ptr);
        meter.allocated_base += jem_malloc_usable_size(ptr); /* counted before we looked */
    }
    meter_write(thread_self.slot);
    if (thread_self.main && meter_allocated_bytes() >= thread_self.slot->sample_at_bytes)
        samples_due(ptr, jem_malloc_usable_size(ptr), caller);
    meter_make_room();
    return ptr;
}

/* Inlined, so that CALLER is that of the exported function: where the host's stack begins. */
static inline __attribute__((always_inline)) void *note(void *ptr)
{
    if (unlikely((int64_t) *meter.allocated >= thread_self.room_bytes))
        return note_aside(ptr, CALLER);
    return ptr;
}

SHIM_EXPORT SHIM_HOT void *malloc(size_t bytes)
{
    return note(jem_malloc(bytes));
}

SHIM_EXPORT void *calloc(size_t count, size_t bytes)
{
    return note(jem_calloc(count, bytes));
}

SHIM_EXPORT void *memalign(size_t alignment, size_t bytes)
{
    return note(jem_memalign(alignment, bytes));
}

static void free_shared(void *ptr)
{
    size_t bytes = ledger_size(ptr);

    meter_forget(ptr, &meter.freed_base);
    if (bytes > 0)
        ledger_remove_shared(bytes);
    jem_free(ptr);
}

/* Whatever is not the usual case: nothing, a new thread, a sample. */
ASIDE void free_aside(void *ptr)
{
    if (!ptr)
        return;
    if (live_may_hold(&samples_live, ptr)) /* before another thread may own the address */
        samples_freed(ptr);
    if (!thread_self.slot && !meter_adopt()) {
        free_shared(ptr);
        return;
    }
    jem_free(ptr);
    meter_write(thread_self.slot);
}

SHIM_EXPORT SHIM_HOT void free(void *ptr)
{
    if (unlikely(thread_self.free_filter[free_filter_class(ptr)]))
        free_aside(ptr);
    else
        jem_free(ptr);
}

ASIDE void *realloc_shared(void *ptr, size_t bytes)
{
    size_t old_bytes = ptr ? jem_malloc_usable_size(ptr) : 0;
    size_t counted_bytes = ptr ? ledger_size(ptr) : 0;
    void *moved = jem_realloc(ptr, bytes);

    if (ptr && (moved || bytes == 0)) {
        if (counted_bytes > 0)
            ledger_remove_shared(counted_bytes);
        if (thread_self.busy && thread_self.parked)
            meter.freed_base -= old_bytes;
    }
    return moved ? note_shared(moved) : NULL;
}

ASIDE void *realloc_aside(void *ptr, size_t bytes, const void *caller)
{
    const struct samples_move move = samples_realloc_begin(ptr);
    bool adopted = thread_self.slot || meter_adopt();
    void *moved = adopted ? jem_realloc(ptr, bytes) : realloc_shared(ptr, bytes);

    samples_realloc_end(move, ptr, moved || bytes == 0);
    if (!adopted)
        return moved;
    meter_write(thread_self.slot);
    return moved ? note_aside(moved, caller) : NULL;
}

SHIM_EXPORT void *realloc(void *ptr, size_t bytes)
{
    if (unlikely(thread_self.free_filter[free_filter_class(ptr)]))
        return realloc_aside(ptr, bytes, CALLER);
    return note(jem_realloc(ptr, bytes));
}

SHIM_EXPORT size_t malloc_usable_size(void *ptr)
{
    return jem_malloc_usable_size(ptr);
}

bool wrap_malloc_is_foreign(void)
{
    return true;
}

/* Its smallest blocks are of 8 bytes. */
unsigned wrap_malloc_grain_bits(void)
{
    return 3;
}

void wrap_malloc_open_ledger(void)
{
    ledger_open(jem_malloc_usable_size, meter_works());
    if (!thread_self.slot)
        return;
    meter_start(thread_self.slot);
    ledger_refresh_by(meter_refresh);
    thread_self.free_filter = live_filter(&samples_live);
}

/* Our own, whoever else has the name. */
extern __typeof__(malloc) wrap_malloc_ours
    __attribute__((alias("malloc"), visibility("hidden"), copy(malloc)));

bool wrap_malloc_in_charge(void)
{
    return malloc == wrap_malloc_ours;
}
