/* worker_stacks.c - walker, unwinder and table put together. */
#include "stack/worker_stacks.h"

#include <string.h>

#include "base/marks.h"
#include "fpmscope/wire.h"

#include "banned.h"

static const char *const note_details[] = {
    [WIRE_NOTE_UNWINDER] = "no native stacks: the shim cannot read its own unwind tables",
    [WIRE_NOTE_SELF_CHECK] = "no PHP stacks: they contradict what the engine says of itself",
    [WIRE_NOTE_LIBRARY] = "native stacks end at hand-written code: no usable libunwind.so.8",
};

void worker_stacks_init(struct worker_stacks *stacks, const void *stack_top,
                        const struct unwind_loader *loader)
{
    php_engine_bind(&stacks->engine);
    native_stack_init(&stacks->native, stack_top, loader);
}

uint32_t worker_stacks_start(struct worker_stacks *stacks)
{
    uint32_t abilities = 0;

    if (php_engine_build(&stacks->engine, &stacks->build))
        stacks->layout = php_layout_find(&stacks->build);
    if (native_stack_start(&stacks->native))
        abilities |= WIRE_CAN_NATIVE_STACK;
    else
        stacks->note = WIRE_NOTE_UNWINDER;
    if (stacks->layout)
        abilities |= WIRE_CAN_PHP_STACK;
    else
        stacks->note = WIRE_NOTE_LAYOUT; /* the greater loss is told when both are missing */
    return abilities;
}

/* A wrong layout is found out before its first stack is used, and before it can crash the host:
 * the walk is guarded until the engine has agreed with it once. */
static void walk_php_checked(struct worker_stacks *stacks, struct php_stack *ret_php)
{
    struct memory_reader reader;
    enum php_stack_check check;

    memory_reader_init(&reader);
    php_stack_walk(&stacks->engine, stacks->layout, &reader, ret_php);
    check = php_stack_check(&stacks->engine, ret_php);
    if (ret_php->cut)
        check = PHP_STACK_WRONG; /* followed its links into something that is no frame */
    if (check == PHP_STACK_RIGHT) {
        stacks->checked = true;
        return;
    }
    if (check == PHP_STACK_WRONG && ++stacks->contradictions == WORKER_STACKS_CONTRADICTIONS_MAX) {
        stacks->layout = NULL;
        stacks->note = WIRE_NOTE_SELF_CHECK;
    }
    ret_php->count = ret_php->skipped = ret_php->cut = 0;
}

/* One load out of PHP's own globals, wherever in them the layout has it. */
static bool runs_php(const struct worker_stacks *stacks)
{
    uintptr_t frame;

    if (!stacks->engine.executor_globals)
        return false;
    memcpy(&frame,
           (const char *) stacks->engine.executor_globals + stacks->layout->current_execute_data,
           sizeof frame);
    return frame != 0;
}

static void walk_php(struct worker_stacks *stacks, struct php_stack *ret_php)
{
    if (stacks->checked || !stacks->layout)
        php_stack_walk(&stacks->engine, stacks->layout, NULL, ret_php);
    else if (runs_php(stacks))
        walk_php_checked(stacks, ret_php);
    else
        ret_php->count = ret_php->skipped = ret_php->cut = 0;
}

/* Once: a stack has ended where only libunwind could have gone on. */
static void note_missed_library(struct worker_stacks *stacks)
{
    if (likely(!stacks->native.fallback.missed) || stacks->library_was_missed || stacks->note != 0)
        return;
    stacks->library_was_missed = true;
    stacks->note = WIRE_NOTE_LIBRARY;
}

uint64_t worker_stacks_look(struct worker_stacks *stacks, const void *caller, unsigned what,
                            struct php_stack *ret_php, struct stack_text *ret_text)
{
    *ret_text = (struct stack_text){.pcs = stacks->pcs};
    ret_php->count = ret_php->skipped = ret_php->cut = 0;
    if (what & WORKER_STACKS_PHP)
        walk_php(stacks, ret_php);
    if (what & WORKER_STACKS_NATIVE) {
        ret_text->pc_count = (uint16_t) native_stack_capture(&stacks->native, caller, stacks->pcs,
                                                             LIMIT_NATIVE_FRAMES);
        note_missed_library(stacks);
    }
    if (ret_php->count > 0 || ret_text->pc_count > 0)
        ret_text->hash = stack_hash(ret_php, ret_text->pcs, ret_text->pc_count);
    return ret_text->hash;
}

uint32_t worker_stacks_take(struct worker_stacks *stacks, const void *caller, unsigned what,
                            struct stack_text *ret_text)
{
    struct php_stack php;
    struct stack_text text;
    uint32_t id;

    if (worker_stacks_look(stacks, caller, what, &php, &text) == 0)
        return 0;
    id = stack_table_intern(&stacks->table, text.hash, &text.is_new);
    if (text.is_new) {
        text.php = stacks->php_text;
        text.php_len_bytes =
            (uint16_t) php_stack_write(&php, NULL, stacks->php_text, sizeof stacks->php_text);
    }
    *ret_text = text;
    return id;
}

uint64_t worker_stacks_walk(struct worker_stacks *stacks, struct php_stack *ret_php)
{
    ret_php->count = 0;
    walk_php(stacks, ret_php);
    return ret_php->count > 0 ? stack_hash(ret_php, NULL, 0) : 0;
}

uint32_t worker_stacks_intern(struct worker_stacks *stacks, struct stack_text *text)
{
    return stack_table_intern(&stacks->table, text->hash, &text->is_new);
}

size_t worker_stacks_write_php(struct worker_stacks *stacks, char *buf, size_t cap_bytes)
{
    struct php_stack php;

    walk_php(stacks, &php);
    return php_stack_write(&php, NULL, buf, cap_bytes);
}

void worker_stacks_unsent(struct worker_stacks *stacks, const struct stack_text *text)
{
    stack_table_forget(&stacks->table, text->hash);
}

void worker_stacks_reset(struct worker_stacks *stacks)
{
    stack_table_reset(&stacks->table);
}

struct worker_stacks_note worker_stacks_take_note(struct worker_stacks *stacks)
{
    struct worker_stacks_note note = {.code = stacks->note};

    if (likely(note.code == 0))
        return note;
    note.detail = note.code == WIRE_NOTE_LAYOUT ? stacks->build.version : note_details[note.code];
    stacks->note = 0;
    return note;
}
