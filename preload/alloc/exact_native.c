/* exact_native.c - see exact_native.h. */
#include "alloc/exact_native.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alloc/exact_groups.h"
#include "alloc/exact_marks.h"
#include "alloc/exact_paths.h"
#include "alloc/exact_stacks.h"
#include "alloc/ledger.h"
#include "alloc/stack_message.h"
#include "base/loader.h"
#include "base/real.h"
#include "base/thread.h"
#include "fpmscope/wire.h"
#include "stack/context.h"
#include "banned.h"

enum {
    PAGE_BYTES = 4096,
    NO_FRAMES_HASH = 1,           /* of the stack of nowhere */
    OTHER_STACK_BYTES = 64 << 20, /* so far from the main loop lies another stack: a fiber's */
};

/* One mapping; the sheets come last. */
struct exact_memory {
    struct exact_marks marks;
    struct exact_paths paths;
    struct exact_stacks stacks __attribute__((aligned(PAGE_BYTES))); /* they are thrown away */
    struct exact_group groups[EXACT_GROUPS_MAX] __attribute__((aligned(PAGE_BYTES)));
    uint32_t sheets[(size_t) EXACT_SHEETS_MAX * EXACT_SHEET_MARKS];
};

static struct {
    struct exact_native_setup setup;
    struct exact_memory *memory;
    struct exact_groups groups;
    const uintptr_t *outermost; /* a place on the stack that every request stands inwards of */
    uint64_t seq;
    uint64_t last_id;
} exact;

bool exact_native_start(const struct exact_native_setup *setup)
{
    void *memory = real.mmap(NULL, sizeof *exact.memory, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return false;
    syscall(SYS_madvise, memory, sizeof *exact.memory, MADV_NOHUGEPAGE); /* it is used in spots */
    exact.setup = *setup;
    exact.outermost = __builtin_frame_address(0);
    exact.memory = memory;
    exact.memory->marks.sheets = exact.memory->sheets;
    exact.memory->marks.grain_bits = setup->grain_bits;
    exact.groups = (struct exact_groups){.items = exact.memory->groups};
    return true;
}

void exact_native_stop(void)
{
    if (exact.memory)
        syscall(SYS_munmap, exact.memory, sizeof *exact.memory);
    exact.memory = NULL;
}

void exact_native_begin(uint64_t seq)
{
    exact.seq = seq;
    if (exact_stacks_are_full(&exact.memory->stacks))
        syscall(SYS_madvise, &exact.memory->stacks, sizeof exact.memory->stacks, MADV_DONTNEED);
}

/* ---- a block is born -------------------------------------------------------------------------
 */

/* The stack at hand, with its text when it was never met. */
static struct exact_stack *exact_stack_of_now(const void *caller, struct stack_text *ret_text)
{
    struct exact_stacks *stacks = &exact.memory->stacks;
    struct php_stack php;
    uint64_t hash;
    uint32_t number;
    bool is_new;

    hash = worker_stacks_look(exact.setup.stacks, caller,
                              WORKER_STACKS_PHP | (loader_is_busy() ? 0 : WORKER_STACKS_NATIVE),
                              &php, ret_text);
    number = exact_stacks_put(stacks, hash ? hash : NO_FRAMES_HASH, &is_new);
    if (number == EXACT_STACK_NONE)
        return NULL;
    if (is_new) {
        size_t room_bytes;
        char *room = exact_stacks_write(stacks, ret_text->pcs, ret_text->pc_count, &room_bytes);

        if (room_bytes > WORKER_STACKS_TEXT_BYTES)
            room_bytes = WORKER_STACKS_TEXT_BYTES;
        exact_stacks_php_written(stacks, php_stack_write(&php, NULL, room, room_bytes));
    }
    return &stacks->items[number];
}

static uint32_t exact_group_of(struct exact_stack *stack)
{
    if (stack->seq != exact.seq || stack->group == EXACT_GROUP_NONE) {
        stack->group = exact_groups_add(&exact.groups, exact.seq,
                                        (uint32_t) (stack - exact.memory->stacks.items));
        stack->seq = exact.seq;
    }
    return stack->group;
}

/* Is a key of pointers good for it?  PHP's frames must be known to lie where we read, and the
 * machine's stack to be the one of the main loop. */
static bool exact_may_keep(const struct exact_here *here)
{
    const struct worker_stacks *stacks = exact.setup.stacks;

    return here->words > 0 && (stacks->checked || !stacks->layout);
}

static __attribute__((noinline)) uint32_t exact_unwind(struct exact_here *here)
{
    const int saved_errno = errno;
    const bool may_keep = exact_may_keep(here);
    struct exact_stack *stack;
    struct stack_text text;
    uint32_t group;

    if (!guard_enter())
        return EXACT_GROUP_NONE;
    stack = exact_stack_of_now(here->caller, &text);
    group = stack ? exact_group_of(stack) : EXACT_GROUP_NONE;
    /* Without return addresses although there is an unwinder: the loader is busy. */
    if (group != EXACT_GROUP_NONE && may_keep &&
        (text.pc_count > 0 || !exact.setup.stacks->native.started))
        exact_paths_keep(&exact.memory->paths, here, text.pcs, text.pc_count, group);
    guard_leave();
    errno = saved_errno;
    return group;
}

static size_t exact_readable_words(const uintptr_t *frame)
{
    const uintptr_t inner = (uintptr_t) frame, outer = (uintptr_t) exact.outermost;

    return inner < outer && outer - inner < OTHER_STACK_BYTES ? (outer - inner) / sizeof *frame : 0;
}

static struct exact_here exact_where(const void *caller, const uintptr_t *frame)
{
    const struct worker_stacks *stacks = exact.setup.stacks;
    struct exact_here here = {
        .seq = exact.seq,
        .caller = caller,
        .frame = frame,
        .words = exact_readable_words(frame),
    };

    if (likely(stacks->checked && stacks->layout))
        here.context = context_key(&stacks->engine, stacks->layout);
    return here;
}

bool exact_native_born(void *ptr, size_t bytes, const void *caller)
{
    uint32_t *mark = exact_marks_make(&exact.memory->marks, ptr), group = EXACT_GROUP_NONE;
    struct exact_here here = exact_where(caller, __builtin_frame_address(0));

    if (unlikely(!mark))
        return false;
    if (likely(exact_may_keep(&here)))
        group = exact_paths_find(&exact.memory->paths, &here);
    if (unlikely(group == EXACT_GROUP_NONE))
        group = exact_unwind(&here);
    __atomic_store_n(mark, group, __ATOMIC_RELAXED);
    if (unlikely(group == EXACT_GROUP_NONE))
        return false;
    exact_group_born(&exact.groups, group, bytes);
    return true;
}

/* ---- a block dies ----------------------------------------------------------------------------
 */

struct exact_claim exact_native_claim(void *ptr)
{
    uint32_t *mark = exact_marks_find(&exact.memory->marks, ptr);
    struct exact_claim claim = {.group = mark ? __atomic_load_n(mark, __ATOMIC_RELAXED) : 0};

    if (claim.group != EXACT_GROUP_NONE) {
        claim.bytes = ledger_block_bytes(ptr);
        __atomic_store_n(mark, EXACT_GROUP_NONE, __ATOMIC_RELAXED);
    }
    return claim;
}

void exact_native_release(struct exact_claim claim, bool realloced)
{
    if (claim.group == EXACT_GROUP_NONE)
        return;
    if (likely(thread_self.main))
        exact_group_died(&exact.groups, claim.group, claim.bytes, realloced);
    else
        exact_group_died_away(&exact.groups, claim.group, claim.bytes, realloced);
}

void exact_native_restore(void *ptr, struct exact_claim claim)
{
    uint32_t *mark = exact_marks_find(&exact.memory->marks, ptr);

    if (mark && claim.group != EXACT_GROUP_NONE)
        __atomic_store_n(mark, claim.group, __ATOMIC_RELAXED);
}

/* ---- telling ---------------------------------------------------------------------------------
 */

static void exact_tell_change(void *context, struct exact_group *group, struct exact_live live)
{
    const uint64_t *seq = context;
    const bool realloced = !exact_group_was_freed(group);
    const struct wire_freed freed = {.seq = *seq, .id = group->id, .realloced = realloced};
    const struct wire_shrunk shrunk = {
        .seq = *seq,
        .id = group->id,
        .size_bytes = group->told_bytes - live.bytes,
        .realloced = realloced,
    };

    if (group->told_bytes == 0 || group->told_bytes == live.bytes)
        return;
    if (live.blocks == 0)
        batch_add(exact.setup.batch, WIRE_INDEX_FREED, &freed);
    else
        batch_add(exact.setup.batch, WIRE_INDEX_SHRUNK, &shrunk);
    group->told_bytes = live.bytes;
}

void exact_native_tell_changes(uint64_t seq)
{
    exact_groups_take_changed(&exact.groups, exact_tell_change, &seq);
}

/* The number of a stack on the wire, behind its text; 0 for the stack of nowhere. */
static uint32_t exact_tell_stack(const struct exact_stack *stack)
{
    const struct exact_stacks *stacks = &exact.memory->stacks;
    const struct wire_stack message = {
        .php = {exact_stacks_php(stacks, stack), stack->php_len_bytes},
        .native = {exact_stacks_pcs(stacks, stack),
                   (uint16_t) (stack->pc_count * sizeof(uintptr_t))},
    };

    if (stack->hash == NO_FRAMES_HASH)
        return 0;
    return stack_message_say(exact.setup.stacks, exact.setup.batch, stack->hash, &message);
}

static void exact_tell_survivor(void *context, struct exact_group *group, struct exact_live live)
{
    struct wire_sample sample = {
        .seq = group->seq,
        .size_bytes = live.bytes,
        .interval_bytes = 1,
        .stack = exact_tell_stack(&exact.memory->stacks.items[group->stack]),
    };

    (void) context;
    sample.id = group->id = ++exact.last_id;
    if (batch_add(exact.setup.batch, WIRE_INDEX_SAMPLE, &sample))
        group->told_bytes = live.bytes;
}

void exact_native_tell_survivors(void)
{
    exact_groups_settle(&exact.groups, exact_tell_survivor, NULL);
}

static bool exact_shows_php(const struct exact_group *group)
{
    return exact.memory->stacks.items[group->stack].php_len_bytes > 0;
}

/* As many as may be told, evenly among those with PHP frames: some of them lie below the
 * controller. */
void exact_native_tell_seen(void)
{
    uint32_t ids[EXACT_NATIVE_SEEN_MAX], count = 0, met = 0, shown = 0;

    for (uint32_t number = exact.groups.fresh; number; number = exact.groups.items[number].next)
        shown += exact_shows_php(&exact.groups.items[number]);
    for (uint32_t number = exact.groups.fresh; number; number = exact.groups.items[number].next) {
        const struct exact_group *group = &exact.groups.items[number];

        if (!exact_shows_php(group) || (met++ * EXACT_NATIVE_SEEN_MAX) / (shown + 1) < count)
            continue;
        ids[count++] = exact_tell_stack(&exact.memory->stacks.items[group->stack]);
    }
    stack_message_seen(exact.setup.batch, exact.seq, ids, count);
}
