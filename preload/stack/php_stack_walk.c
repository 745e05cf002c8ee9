/* php_stack_walk.c - from executor_globals to raw frames; see php_stack.h for the two modes. */
#include "stack/php_stack.h"

#include <string.h>

#include "banned.h"

/* zend_function.type: 1 internal, 3 was overloaded; user code and eval code are even. */
enum { FUNCTION_TYPE_MAX = 4, FUNCTION_TYPE_USER_MASK = 1 };

#ifdef __aarch64__
enum { USER_SPACE_BITS = 48 };
#else
enum { USER_SPACE_BITS = 47 };
#endif

/* The lowest 64 KB are never mapped, user space has an end, and PHP aligns what it allocates: what
 * fails this is no pointer, and following it would kill the host. */
static bool plausible(uintptr_t address)
{
    return address >= 0x10000 && address >> USER_SPACE_BITS == 0 && address % sizeof(void *) == 0;
}

struct walk {
    const struct php_layout *layout;
    struct memory_reader *reader; /* NULL: plain loads */
};

static inline bool load(const struct walk *walk, uintptr_t address, void *ret, size_t size_bytes)
{
    if (walk->reader)
        return memory_reader_read(walk->reader, address, ret, size_bytes);
    memcpy(ret, (const void *) address, size_bytes);
    return true;
}

/* A pointer field; one that cannot be a pointer is as good as unreadable. */
static inline bool load_pointer(const struct walk *walk, uintptr_t address, uintptr_t *ret)
{
    uintptr_t value;

    if (!load(walk, address, &value, sizeof value) || (value != 0 && !plausible(value)))
        return false;
    *ret = value;
    return true;
}

/* One zend_execute_data. */
struct call {
    uintptr_t function, opline, prev;
};

static inline bool load_call(const struct walk *walk, uintptr_t address, struct call *ret)
{
    /* opline of an internal function is rubbish, and a bad prev does not spoil this frame: they
     * are no pointers until somebody wants to follow them. */
    return load(walk, address + PHP_EX_OPLINE, &ret->opline, sizeof ret->opline) &&
           load_pointer(walk, address + PHP_EX_FUNC, &ret->function) &&
           load(walk, address + walk->layout->prev_execute_data, &ret->prev, sizeof ret->prev);
}

/* Where user code is.  A frame that is being set up has no opline yet: line 0. */
static inline bool load_place(const struct walk *walk, const struct call *call,
                              struct php_frame *frame)
{
    if (!load_pointer(walk, call->function + walk->layout->filename, &frame->file))
        return false;
    if (!plausible(call->opline))
        return true;
    return load(walk, call->opline + PHP_OP_LINE, &frame->line, sizeof frame->line);
}

/* Fibers begin with a function that has neither name nor file; nobody wrote it. */
static inline bool is_nobodys(const struct php_frame *frame)
{
    return frame->function == 0 && frame->file == 0;
}

static inline bool load_frame(const struct walk *walk, const struct call *call,
                              struct php_frame *ret_frame)
{
    struct php_frame frame = {0};
    uintptr_t scope;
    uint8_t type;

    if (!load(walk, call->function + PHP_FUNC_TYPE, &type, sizeof type) || type == 0 ||
        type > FUNCTION_TYPE_MAX)
        return false;
    if (!load_pointer(walk, call->function + PHP_FUNC_NAME, &frame.function) ||
        !load_pointer(walk, call->function + PHP_FUNC_SCOPE, &scope))
        return false;
    if (scope != 0 && !load_pointer(walk, scope + PHP_CLASS_NAME, &frame.class_name))
        return false;
    if ((type & FUNCTION_TYPE_USER_MASK) == 0 && !load_place(walk, call, &frame))
        return false;
    *ret_frame = frame;
    return true;
}

/* False: the call makes no sense, and what lies behind it makes none either. */
static inline bool append_frame(const struct walk *walk, const struct call *call,
                                struct php_stack *stack)
{
    struct php_frame *frame = &stack->frames[stack->count];

    if (!load_frame(walk, call, frame)) {
        stack->cut = 1;
        return false;
    }
    stack->count += !is_nobodys(frame);
    return true;
}

/* The last PHP_STACK_OUTER calls passed, in a ring: after the walk they are the outermost. */
struct outer_ring {
    struct call calls[PHP_STACK_OUTER];
    uint32_t passed;
};

static inline void stack_append_outer(const struct walk *walk, const struct outer_ring *ring,
                                      struct php_stack *stack)
{
    const uint32_t kept = ring->passed < PHP_STACK_OUTER ? ring->passed : PHP_STACK_OUTER;

    stack->skipped = ring->passed - kept;
    for (uint32_t i = ring->passed - kept; i < ring->passed; i++)
        append_frame(walk, &ring->calls[i % PHP_STACK_OUTER], stack);
}

static inline void walk_calls(const struct walk *walk, uintptr_t address, uint32_t depth,
                              struct php_stack *stack)
{
    struct outer_ring ring = {.passed = 0};
    struct call call;

    for (; address != 0; address = call.prev) {
        if (depth-- == 0 || !plausible(address) || !load_call(walk, address, &call)) {
            stack->cut = 1;
            break;
        }
        if (call.function == 0)
            continue;
        if (stack->count == PHP_STACK_INNER) {
            ring.calls[ring.passed++ % PHP_STACK_OUTER] = call;
        } else if (!append_frame(walk, &call, stack)) {
            break;
        }
    }
    stack_append_outer(walk, &ring, stack);
}

uint32_t php_stack_walk(const struct php_engine *engine, const struct php_layout *layout,
                        struct memory_reader *reader, struct php_stack *ret_stack)
{
    const struct walk walk = {.layout = layout, .reader = reader};
    const uint32_t depth = reader ? PHP_STACK_GUARDED_DEPTH : PHP_STACK_FAST_DEPTH;
    uintptr_t innermost = 0;

    ret_stack->count = ret_stack->skipped = ret_stack->cut = ret_stack->reserved = 0;
    if (!engine->executor_globals || !layout)
        return 0;
    if (!load_pointer(&walk, (uintptr_t) engine->executor_globals + layout->current_execute_data,
                      &innermost))
        return 0;
    walk_calls(&walk, innermost, depth, ret_stack);
    return ret_stack->count;
}
