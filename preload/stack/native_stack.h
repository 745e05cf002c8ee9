/*
 * native_stack.h - program counters of the calling thread, by the unwind tables of what is loaded.
 *
 * A row of a table is looked up once per program counter and remembered: a stack whose callers were
 * all met costs some ten instructions a frame, and a new one no system call.  Nothing is allocated.
 *
 * Hand-written code may have rows that three columns cannot express.  A stack that ends at such a
 * frame is taken once more by libunwind, within its limits (unwind_library.h).
 *
 * On the program's own stack words are read plainly, between the caller's frame and the stack's
 * end; on any other (a fiber's) through a memory_reader, since nobody says where it ends.  So a
 * wrong table costs frames, not the host.
 *
 * Main thread only, and never while the host is inside dlopen() or dlclose(), nor in a signal
 * handler: finding a table takes the loader's lock.
 */
#ifndef FPMSCOPE_STACK_NATIVE_STACK_H
#define FPMSCOPE_STACK_NATIVE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/unwind_library.h"
#include "stack/unwind_table.h"

enum {
    NATIVE_STACK_RULES_BITS = 10,
    NATIVE_STACK_RULES = 1 << NATIVE_STACK_RULES_BITS,
    NATIVE_STACK_IMAGES = 16,
};

/* How to leave the frame that `pc` lies in. */
struct native_rule {
    uintptr_t pc; /* 0: free */
    struct unwind_row row;
};

/* Zero-initialised, in the caller's memory; 32 KB, of which an idle worker touches nothing. */
struct native_stack {
    bool started;
    uintptr_t top;           /* the end of the program's own stack; 0: not known */
    struct unwind_span self; /* the shim's code */
    uint64_t generation;     /* of the libraries that the rest is about */
    uint32_t images_met;     /* the newest of them are in images[] */
    struct unwind_image images[NATIVE_STACK_IMAGES];
    struct unwind_library fallback;
    struct native_rule rules[NATIVE_STACK_RULES]; /* each at its hash; the newest stays */
};

/* In the constructor.  `stack_top`: an address above all frames of main(), such as its argv; NULL:
 * every stack is read with guards.  `loader`: how to open libunwind; NULL: not at all. */
void native_stack_init(struct native_stack *native, const void *stack_top,
                       const struct unwind_loader *loader);

/* Once in a worker, before the first capture; repeated calls do nothing.  False: the shim's own
 * tables cannot be read, there will be no native stacks. */
bool native_stack_start(struct native_stack *native);

/*
 * Up to `max` program counters, innermost first, beginning with `caller` (a return address further
 * out on this stack, such as __builtin_return_address(0) of the wrapped function).  When `caller`
 * is not found, all frames but the shim's own.  The stack ends early at code
 * without a table, and where libunwind was needed and not to be had.  0: not started.
 */
size_t native_stack_capture(struct native_stack *native, const void *caller, uintptr_t *ret_pcs,
                            size_t max);

#endif
