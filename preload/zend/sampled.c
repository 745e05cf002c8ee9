/* sampled.c - see sampled.h. */
#include "zend/sampled.h"

#include <errno.h>

#include "alloc/sampler.h"
#include "base/clock.h"
#include "base/pace.h"
#include "base/thread.h"
#include "banned.h"

enum { PS_PER_NS = 1000 };

static struct {
    struct sampled_setup setup;
    struct sampler sampler;
    struct picture *picture;
    int64_t until_pick_bytes;
    uint64_t calls, spent_ns; /* of this request */
} sampled;

static void sampled_pick_next(void)
{
    sampled.until_pick_bytes = (int64_t) sampler_next_gap_bytes(&sampled.sampler);
}

/* The stack of this moment, with its text when it is new in this picture. */
static uint32_t sampled_stack(void)
{
    struct php_stack php;
    uint64_t hash = worker_stacks_walk(sampled.setup.stacks, &php);
    size_t room_bytes, len_bytes;
    uint32_t stack;
    char *room;
    bool is_new;

    stack = picture_stack_of(sampled.picture, hash, &is_new);
    if (!is_new)
        return stack;
    room = picture_text_room(sampled.picture, &room_bytes);
    if (room_bytes > WORKER_STACKS_TEXT_BYTES)
        room_bytes = WORKER_STACKS_TEXT_BYTES;
    len_bytes = php_stack_write(&php, NULL, room, room_bytes);
    picture_text_written(sampled.picture, stack, len_bytes);
    return stack;
}

static void sampled_make_room(void)
{
    picture_thin(sampled.picture, 4 * sampled.sampler.interval_bytes, sampled.sampler.random);
    sampled.sampler.interval_bytes *= 2;
}

static void sampled_add(void *ptr, size_t asked_bytes, double chance, uint32_t stack)
{
    const struct picture_block block = {
        .address = (uintptr_t) ptr,
        .seen_bytes = asked_bytes,
        .weight_bytes =
            picture_weight_bytes(_zend_mm_block_size(sampled.setup.heap->heap, ptr), chance),
        .chance = (float) chance,
        .stack = stack,
    };

    if (!picture_add(sampled.picture, &block)) {
        sampled_make_room();
        picture_add(sampled.picture, &block);
    }
}

/* The heap's handlers are closed here: asking for a block's size must see the heap as it is. */
static void sampled_take(void *ptr, size_t asked_bytes, double chance)
{
    const int64_t begin_ns = clock_steady_ns();
    const int saved_errno = errno;

    if (!guard_enter())
        return;
    zend_heap_open(sampled.setup.heap);
    sampled_add(ptr, asked_bytes, chance, sampled_stack());
    zend_heap_close(sampled.setup.heap);
    guard_leave();
    sampled.spent_ns += (uint64_t) (clock_steady_ns() - begin_ns);
    errno = saved_errno;
}

static __attribute__((noinline)) void sampled_pick(void *ptr, size_t asked_bytes)
{
    sampled_pick_next();
    if (ptr)
        sampled_take(ptr, asked_bytes, picture_chance(asked_bytes, sampled.sampler.interval_bytes));
}

/* Has it passed a power of two?  Then whoever grows it by small steps is asked now and then. */
static bool sampled_has_doubled(uint64_t was_bytes, uint64_t is_bytes)
{
    return is_bytes > was_bytes && __builtin_clzll(was_bytes | 1) != __builtin_clzll(is_bytes);
}

/* A sampled block has a new size.  What it grew by had its own chance; a block that has doubled
 * belongs to who made it grow. */
static __attribute__((noinline)) void sampled_resized(const struct picture_block *old, void *ptr,
                                                      size_t asked_bytes)
{
    double chance = (double) old->chance;

    if (asked_bytes > old->seen_bytes)
        chance += (1 - chance) *
                  picture_chance(asked_bytes - old->seen_bytes, sampled.sampler.interval_bytes);
    if (sampled_has_doubled(old->seen_bytes, asked_bytes)) {
        sampled_take(ptr, asked_bytes, chance);
        return;
    }
    zend_heap_open(sampled.setup.heap);
    sampled_add(ptr, asked_bytes > old->seen_bytes ? asked_bytes : old->seen_bytes, chance,
                old->stack);
    zend_heap_close(sampled.setup.heap);
}

/* ---- the handlers ----------------------------------------------------------------------------
 */

static inline bool sampled_is_due(size_t bytes)
{
    sampled.calls++;
    sampled.until_pick_bytes -= (int64_t) bytes;
    return sampled.until_pick_bytes < 0;
}

static void *sampled_on_allocate(size_t bytes)
{
    void *ptr;

    zend_heap_open(sampled.setup.heap);
    ptr = _zend_mm_alloc(sampled.setup.heap->heap, bytes);
    zend_heap_close(sampled.setup.heap);
    if (unlikely(sampled_is_due(bytes)))
        sampled_pick(ptr, bytes);
    return ptr;
}

static void sampled_on_release(void *ptr)
{
    struct picture_block *block = picture_find(sampled.picture, (uintptr_t) ptr);

    if (unlikely(block != NULL))
        picture_remove(sampled.picture, block);
    sampled.calls++;
    zend_heap_open(sampled.setup.heap);
    _zend_mm_free(sampled.setup.heap->heap, ptr);
    zend_heap_close(sampled.setup.heap);
}

static void *sampled_on_resize(void *ptr, size_t bytes)
{
    struct picture_block *block = picture_find(sampled.picture, (uintptr_t) ptr), old;
    size_t old_bytes = 0;
    void *moved;

    if (block)
        old = *block;
    zend_heap_open(sampled.setup.heap);
    if (!block && ptr)
        old_bytes = _zend_mm_block_size(sampled.setup.heap->heap, ptr);
    moved = _zend_mm_realloc(sampled.setup.heap->heap, ptr, bytes);
    zend_heap_close(sampled.setup.heap);
    if (block) {
        picture_remove(sampled.picture, block);
        sampled_resized(&old, moved, bytes);
    } else if (sampled_is_due(bytes > old_bytes ? bytes - old_bytes : 0)) {
        sampled_pick(moved, bytes);
    }
    return moved;
}

const struct zend_handlers sampled_handlers = {
    .allocate = sampled_on_allocate,
    .release = sampled_on_release,
    .resize = sampled_on_resize,
};

/* ---- a request -------------------------------------------------------------------------------
 */

void sampled_start(const struct sampled_setup *setup)
{
    sampled.setup = *setup;
    sampler_init(&sampled.sampler, setup->seed, SAMPLED_FIRST_INTERVAL_BYTES);
}

void sampled_begin(struct picture *picture, uint64_t interval_bytes)
{
    sampled.picture = picture;
    sampled.calls = sampled.spent_ns = 0;
    sampled.sampler.interval_bytes = interval_bytes;
    sampled_pick_next();
}

uint64_t sampled_interval_bytes(void)
{
    return sampled.sampler.interval_bytes;
}

uint64_t sampled_cost_ns(void)
{
    return sampled.spent_ns +
           pace_here(SAMPLED_REQUEST_NS + sampled.calls * SAMPLED_CALL_PS / PS_PER_NS);
}

uint32_t sampled_stack_of_now(void)
{
    const int saved_errno = errno;
    uint32_t stack;

    if (!guard_enter())
        return PICTURE_OTHERS;
    stack = sampled_stack();
    guard_leave();
    errno = saved_errno;
    return stack;
}
