/* exact_stacks.c - see exact_stacks.h. */
#include "alloc/exact_stacks.h"

#include <string.h>

#include "banned.h"

_Static_assert(EXACT_STACKS_MAX - 1 <= UINT16_MAX, "an index fits into a place");

uint32_t exact_stacks_put(struct exact_stacks *stacks, uint64_t hash, bool *ret_new)
{
    uint32_t place = (uint32_t) (hash ^ hash >> 32) % EXACT_STACK_PLACES;

    *ret_new = false;
    for (; stacks->places[place] != 0; place = (place + 1) % EXACT_STACK_PLACES)
        if (stacks->items[stacks->places[place]].hash == hash)
            return stacks->places[place];
    if (stacks->count + 1 == EXACT_STACKS_MAX)
        return EXACT_STACK_NONE;
    *ret_new = true;
    stacks->places[place] = (uint16_t) ++stacks->count;
    stacks->items[stacks->count] = (struct exact_stack){.hash = hash};
    return stacks->count;
}

char *exact_stacks_write(struct exact_stacks *stacks, const uintptr_t *pcs, size_t pc_count,
                         size_t *ret_room_bytes)
{
    struct exact_stack *stack = &stacks->items[stacks->count];
    const size_t len_bytes = pc_count * sizeof *pcs;

    stack->text_at = stacks->text_len_bytes;
    if (len_bytes > EXACT_STACK_TEXTS_BYTES - stacks->text_len_bytes) {
        *ret_room_bytes = 0;
        return stacks->texts;
    }
    if (pc_count > 0)
        memcpy(stacks->texts + stack->text_at, pcs, len_bytes);
    stack->pc_count = (uint16_t) pc_count;
    stacks->text_len_bytes += (uint32_t) len_bytes;
    *ret_room_bytes = EXACT_STACK_TEXTS_BYTES - stacks->text_len_bytes;
    return stacks->texts + stacks->text_len_bytes;
}

void exact_stacks_php_written(struct exact_stacks *stacks, size_t len_bytes)
{
    stacks->items[stacks->count].php_len_bytes = (uint16_t) len_bytes;
    stacks->text_len_bytes += (uint32_t) len_bytes;
}

const char *exact_stacks_pcs(const struct exact_stacks *stacks, const struct exact_stack *stack)
{
    return stacks->texts + stack->text_at;
}

const char *exact_stacks_php(const struct exact_stacks *stacks, const struct exact_stack *stack)
{
    return exact_stacks_pcs(stacks, stack) + stack->pc_count * sizeof(uintptr_t);
}

bool exact_stacks_are_full(const struct exact_stacks *stacks)
{
    return stacks->count > EXACT_STACKS_MAX / 2 ||
           stacks->text_len_bytes > EXACT_STACK_TEXTS_BYTES / 2;
}
