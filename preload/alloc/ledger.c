/* ledger.c - see ledger.h. */
#include "alloc/ledger.h"

#include <pthread.h>

#include "base/marks.h"
#include "banned.h"

/* In libpthread before glibc 2.34, which a program need not have: slots are not given back then. */
extern __typeof__(pthread_key_create) pthread_key_create SHIM_WEAK;
extern __typeof__(pthread_setspecific) pthread_setspecific SHIM_WEAK;

#define LEDGER_ROOM_MAX_BYTES (INT64_C(1) << 62)

enum ledger_mode { LEDGER_CLOSED, LEDGER_PER_THREAD, LEDGER_SHARED };

static struct {
    enum ledger_mode mode;
    bool have_key;
    pthread_key_t key; /* its destructor is how we learn of a thread's end */
    size_t (*size_of)(void *ptr);
    void (*refresh)(void); /* NULL: this file's own counters are all there is */
    size_t slots_used;     /* slots[] from here on were never claimed */
    struct ledger_slot slots[LEDGER_SLOTS];
    struct ledger_slot overflow;
} ledger;

static void ledger_release(void *ending)
{
    struct ledger_slot *slot = ending;

    thread_self.slot = NULL;
    thread_self.finished = true;
    __atomic_store_n(&slot->owned, 0, __ATOMIC_RELEASE);
}

static void ledger_note_used(size_t count)
{
    size_t used = __atomic_load_n(&ledger.slots_used, __ATOMIC_RELAXED);

    while (used < count && !__atomic_compare_exchange_n(&ledger.slots_used, &used, count, true,
                                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

static struct ledger_slot *ledger_claim(void)
{
    for (size_t i = 0; i < LEDGER_SLOTS; i++) {
        struct ledger_slot *slot = &ledger.slots[i];
        uint32_t free_to_take = 0;

        if (__atomic_load_n(&slot->owned, __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(&slot->owned, &free_to_take, 1, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            slot->sample_at_bytes = LEDGER_NEVER;
            ledger_note_used(i + 1);
            return slot;
        }
    }
    return NULL;
}

bool ledger_adopt(void)
{
    struct ledger_slot *slot;

    if (ledger.mode != LEDGER_PER_THREAD || thread_self.busy || thread_self.finished)
        return false;
    slot = ledger_claim();
    if (!slot) {
        thread_self.finished = true; /* not worth asking again */
        return false;
    }
    if (ledger.have_key && !thread_self.main && guard_enter()) {
        pthread_setspecific(ledger.key, slot);
        guard_leave();
    }
    thread_self.slot = slot;
    return true;
}

size_t ledger_block_bytes(void *ptr)
{
    return ledger.size_of(ptr);
}

size_t ledger_size(void *ptr)
{
    return ledger.mode == LEDGER_CLOSED || thread_self.busy ? 0 : ledger.size_of(ptr);
}

void ledger_add_shared(size_t bytes)
{
    __atomic_fetch_add(&ledger.overflow.allocated_bytes, bytes, __ATOMIC_RELAXED);
}

void ledger_remove_shared(size_t bytes)
{
    __atomic_fetch_add(&ledger.overflow.freed_bytes, bytes, __ATOMIC_RELAXED);
}

void ledger_open(size_t (*size_of)(void *ptr), bool per_thread)
{
    ledger.size_of = size_of;
    ledger.have_key = pthread_key_create && pthread_setspecific &&
                      pthread_key_create(&ledger.key, ledger_release) == 0;
    ledger.mode = per_thread ? LEDGER_PER_THREAD : LEDGER_SHARED;
    ledger_adopt();
    ledger_grant();
}

void ledger_refresh_by(void (*refresh)(void))
{
    ledger.refresh = refresh;
}

static void ledger_refresh(void)
{
    if (ledger.refresh)
        ledger.refresh();
}

void ledger_after_fork(void)
{
    for (size_t i = 0; i < LEDGER_SLOTS; i++)
        if (&ledger.slots[i] != thread_self.slot && &ledger.slots[i] != thread_self.parked)
            ledger.slots[i].owned = 0;
}

void ledger_settle(void)
{
    struct ledger_slot *slot = thread_self.busy ? thread_self.parked : thread_self.slot;
    int64_t *room = thread_self.busy ? &thread_self.parked_room_bytes : &thread_self.room_bytes;

    if (!slot || !thread_self.main)
        return;
    ledger_refresh();
    ledger_add(slot, (size_t) (thread_self.granted_bytes - *room));
    ledger_remove(slot, thread_self.freed_bytes);
    thread_self.granted_bytes = *room = 0;
    thread_self.freed_bytes = 0;
}

void ledger_grant(void)
{
    struct ledger_slot *slot = thread_self.busy ? thread_self.parked : thread_self.slot;
    int64_t *room = thread_self.busy ? &thread_self.parked_room_bytes : &thread_self.room_bytes;
    uint64_t gap;

    if (!slot || !thread_self.main)
        return;
    ledger_settle();
    gap = slot->sample_at_bytes > slot->allocated_bytes
              ? slot->sample_at_bytes - slot->allocated_bytes - 1
              : 0;
    *room = gap < (uint64_t) LEDGER_ROOM_MAX_BYTES ? (int64_t) gap : LEDGER_ROOM_MAX_BYTES;
    thread_self.granted_bytes = *room;
}

void ledger_sample_after(uint64_t gap_bytes)
{
    struct ledger_slot *slot = thread_self.slot;

    if (!slot)
        return;
    ledger_settle(); /* or `allocated_bytes` is of the last time */
    slot->sample_at_bytes = gap_bytes < LEDGER_NEVER - slot->allocated_bytes
                                ? slot->allocated_bytes + gap_bytes
                                : LEDGER_NEVER;
    ledger_grant();
}

static struct ledger_sums ledger_sum_slots(void)
{
    size_t used = __atomic_load_n(&ledger.slots_used, __ATOMIC_ACQUIRE);
    struct ledger_sums sums = {
        .allocated_bytes = __atomic_load_n(&ledger.overflow.allocated_bytes, __ATOMIC_RELAXED),
        .freed_bytes = __atomic_load_n(&ledger.overflow.freed_bytes, __ATOMIC_RELAXED),
    };

    for (size_t i = 0; i < used; i++) {
        sums.allocated_bytes += __atomic_load_n(&ledger.slots[i].allocated_bytes, __ATOMIC_RELAXED);
        sums.freed_bytes += __atomic_load_n(&ledger.slots[i].freed_bytes, __ATOMIC_RELAXED);
    }
    return sums;
}

/* What is on this thread's slip is added without settling it. */
struct ledger_sums ledger_sum(void)
{
    int64_t room = thread_self.busy ? thread_self.parked_room_bytes : thread_self.room_bytes;
    struct ledger_sums sums;

    ledger_refresh();
    sums = ledger_sum_slots();
    sums.allocated_bytes += (uint64_t) (thread_self.granted_bytes - room);
    sums.freed_bytes += thread_self.freed_bytes;
    return sums;
}
