/* exact.c - see exact.h. */
#include "zend/exact.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/real.h"
#include "stack/context.h"
#include "zend/shadow.h"
#include "banned.h"

enum { SHEETS_BYTES = SHADOW_CHUNKS_MAX * SHADOW_MARKS * (int) sizeof(uint16_t) };

/* One mapping: the sheets come last, so that only what is used is touched. */
struct exact_memory {
    struct shadow shadow;
    struct context_cache contexts;
};

static struct {
    struct exact_setup setup;
    struct exact_memory *memory;
    struct picture *picture;
} exact;

bool exact_begin(const struct exact_setup *setup, struct picture *picture)
{
    const size_t bytes = sizeof *exact.memory + SHEETS_BYTES;
    void *memory;

    exact.setup = *setup;
    exact.picture = picture;
    if (exact.memory)
        return true;
    memory = real.mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    exact.memory = memory;
    exact.memory->shadow.sheets = (uint16_t *) (exact.memory + 1);
    return true;
}

void exact_end(void)
{
    const size_t used_bytes =
        exact.memory ? (size_t) exact.memory->shadow.sheet_count * SHADOW_MARKS * sizeof(uint16_t)
                     : 0;

    if (!exact.memory)
        return;
    if (syscall(SYS_madvise, exact.memory, sizeof *exact.memory + used_bytes, MADV_DONTNEED) < 0)
        memset(exact.memory, 0, sizeof *exact.memory + used_bytes);
    exact.memory->shadow.sheets = (uint16_t *) (exact.memory + 1);
}

static uint32_t exact_stack(void)
{
    const struct worker_stacks *stacks = exact.setup.stacks;
    uint64_t key;
    uint32_t stack;

    if (unlikely(!stacks->checked || !stacks->layout))
        return exact.setup.stack_of_now(); /* reads with guards until the layout is confirmed */
    key = context_key(&stacks->engine, stacks->layout);
    if (likely(context_find(&exact.memory->contexts, key, &stack)))
        return stack;
    stack = exact.setup.stack_of_now();
    context_keep(&exact.memory->contexts, key, stack);
    return stack;
}

/* The heap is open in both: a block's size is asked of it. */
static void exact_born(void *ptr)
{
    uint16_t *mark = shadow_mark(&exact.memory->shadow, (uintptr_t) ptr);
    uint32_t stack;

    if (unlikely(!mark || !ptr))
        return;
    stack = exact_stack();
    *mark = (uint16_t) (stack + 1);
    picture_grow(exact.picture, stack, _zend_mm_block_size(exact.setup.heap->heap, ptr));
}

static void exact_dies(void *ptr)
{
    uint16_t *mark = shadow_mark(&exact.memory->shadow, (uintptr_t) ptr);

    if (unlikely(!mark || *mark == 0)) /* older than this request's handlers */
        return;
    picture_shrink(exact.picture, *mark - 1u, _zend_mm_block_size(exact.setup.heap->heap, ptr));
    *mark = 0;
}

static void *exact_on_allocate(size_t bytes)
{
    void *ptr;

    zend_heap_open(exact.setup.heap);
    ptr = _zend_mm_alloc(exact.setup.heap->heap, bytes);
    exact_born(ptr);
    zend_heap_close(exact.setup.heap);
    return ptr;
}

static void exact_on_release(void *ptr)
{
    zend_heap_open(exact.setup.heap);
    exact_dies(ptr);
    _zend_mm_free(exact.setup.heap->heap, ptr);
    zend_heap_close(exact.setup.heap);
}

/* Whoever makes a block larger has it from then on; memory_limit leaves the old one alive, which
 * is then missing, but the peak was before. */
static void *exact_on_resize(void *ptr, size_t bytes)
{
    void *moved;

    zend_heap_open(exact.setup.heap);
    exact_dies(ptr);
    moved = _zend_mm_realloc(exact.setup.heap->heap, ptr, bytes);
    exact_born(moved);
    zend_heap_close(exact.setup.heap);
    return moved;
}

const struct zend_handlers exact_handlers = {
    .allocate = exact_on_allocate,
    .release = exact_on_release,
    .resize = exact_on_resize,
};
