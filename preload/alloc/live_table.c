/* live_table.c - see live_table.h. */
#include "alloc/live_table.h"

#include "banned.h"

enum { LIVE_TAKEN_BIT = 1, LIVE_FILTER_STICKS = UINT8_MAX };

static size_t live_first_place(const void *ptr)
{
    uint64_t mixed = ((uintptr_t) ptr >> 4) * UINT64_C(0x9e3779b97f4a7c15);

    /* Addresses come in strides, and one multiplication keeps a stride a stride. */
    mixed = (mixed ^ mixed >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
    return (size_t) (mixed >> 56) * LIVE_HOOKS;
}
_Static_assert(LIVE_RAILS == 1 << 8, "live_first_place() takes the upper 8 bits");

static void live_count(struct live_table *table, const void *ptr, int change)
{
    uint8_t *counter = &table->filter[free_filter_class(ptr)];

    if (*counter != LIVE_FILTER_STICKS)
        __atomic_store_n(counter, (uint8_t) (*counter + change), __ATOMIC_RELAXED);
}

const uint8_t *live_filter(struct live_table *table)
{
    table->filter[free_filter_class(NULL)] = LIVE_FILTER_STICKS;
    return table->filter;
}

void live_stop_all(struct live_table *table)
{
    for (size_t i = 0; i < FREE_FILTER_CLASSES; i++)
        __atomic_store_n(&table->filter[i], LIVE_FILTER_STICKS, __ATOMIC_RELAXED);
}

/* There are as many samples as may be live at once. */
static uint16_t live_new_sample(struct live_table *table)
{
    uint16_t index;

    if (table->spare == 0)
        return table->used++;
    index = (uint16_t) (table->spare - 1);
    table->spare = table->samples[index].next;
    return index;
}

static void live_give_back(struct live_table *table, uint16_t index)
{
    table->samples[index].next = table->spare;
    table->spare = (uint16_t) (index + 1);
}

uint16_t live_insert(struct live_table *table, void *ptr, const struct live_sample *sample)
{
    size_t first = live_first_place(ptr);

    if (table->count >= LIVE_MAX)
        return LIVE_NONE;
    for (size_t place = first; place < first + LIVE_HOOKS; place++) {
        if (__atomic_load_n(&table->addresses[place], __ATOMIC_RELAXED) != 0)
            continue;
        table->samples_at[place] = live_new_sample(table);
        *live_at(table, (uint16_t) place) = *sample;
        table->count++;
        live_count(table, ptr, 1);
        __atomic_store_n(&table->addresses[place], (uintptr_t) ptr, __ATOMIC_RELEASE);
        return (uint16_t) place;
    }
    return LIVE_NONE;
}

uint16_t live_take(struct live_table *table, void *ptr)
{
    size_t first = live_first_place(ptr);

    for (size_t place = first; place < first + LIVE_HOOKS; place++) {
        uintptr_t expected = (uintptr_t) ptr;

        if (__atomic_load_n(&table->addresses[place], __ATOMIC_RELAXED) != expected)
            continue;
        if (__atomic_compare_exchange_n(&table->addresses[place], &expected,
                                        (uintptr_t) ptr | LIVE_TAKEN_BIT, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return (uint16_t) place;
    }
    return LIVE_NONE;
}

void live_put_back(struct live_table *table, uint16_t place, void *ptr)
{
    __atomic_store_n(&table->addresses[place], (uintptr_t) ptr, __ATOMIC_RELEASE);
}

void live_release(struct live_table *table, uint16_t place, uint64_t seq, bool realloced)
{
    struct live_sample *sample = live_at(table, place);
    uint16_t head = __atomic_load_n(&table->released, __ATOMIC_RELAXED);

    sample->freed_seq = seq;
    sample->realloced = realloced;
    do
        sample->next = head;
    while (!__atomic_compare_exchange_n(&table->released, &head, (uint16_t) (place + 1), true,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

bool live_is_live(const struct live_table *table, uint16_t place, uint64_t id)
{
    uintptr_t address = __atomic_load_n(&table->addresses[place], __ATOMIC_ACQUIRE);

    return address != 0 && !(address & LIVE_TAKEN_BIT) &&
           table->samples[table->samples_at[place]].id == id;
}

void live_drain(struct live_table *table,
                void (*visit)(void *context, const struct live_sample *sample), void *context)
{
    uint16_t next;

    if (__atomic_load_n(&table->released, __ATOMIC_RELAXED) == 0)
        return;
    next = __atomic_exchange_n(&table->released, 0, __ATOMIC_ACQUIRE);
    while (next != 0) {
        uint16_t place = (uint16_t) (next - 1);
        uintptr_t taken = __atomic_load_n(&table->addresses[place], __ATOMIC_RELAXED);
        uintptr_t address = taken & ~(uintptr_t) LIVE_TAKEN_BIT;

        next = live_at(table, place)->next;
        visit(context, live_at(table, place));
        live_give_back(table, table->samples_at[place]);
        live_count(table, (const void *) address, -1); /* NOLINT: an address, not a pointer */
        table->count--;
        __atomic_store_n(&table->addresses[place], 0, __ATOMIC_RELEASE);
    }
}
