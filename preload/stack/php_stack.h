/*
 * php_stack.h - the PHP stack: a fast walk over raw frames, and their text.
 *
 * A raw frame holds pointers into PHP's memory, so that taking a stack costs about as much as
 * following a linked list.  They are good until the script goes on; text is made at once, and only
 * for stacks that were not seen before.
 *
 * Two ways to read:
 *   reader == NULL   plain loads; only in normal context, on the thread that runs PHP
 *   reader           every load is checked; for crash handlers, where PHP's memory may be garbage
 *
 * Depth is bounded, and a stack deeper than LIMIT_PHP_FRAMES keeps its innermost 48 and outermost
 * 16 frames.  Frames without a function (placeholders of generators and calls from C) are left out.
 *
 * Nothing here allocates, locks or calls PHP.
 */
#ifndef FPMSCOPE_STACK_PHP_STACK_H
#define FPMSCOPE_STACK_PHP_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/marks.h"
#include "fpmscope/limits.h"
#include "stack/memory_reader.h"
#include "stack/php_engine.h"
#include "stack/php_layout.h"

enum {
    PHP_STACK_INNER = 48,
    PHP_STACK_OUTER = LIMIT_PHP_FRAMES - PHP_STACK_INNER,
    PHP_STACK_FAST_DEPTH = 1024,       /* links followed by a fast walk */
    PHP_STACK_GUARDED_DEPTH = 1 << 17, /* and by a guarded one: a stack overflow is deep */
};

/* Strings are zend_string, 0 for none. */
struct php_frame {
    uintptr_t function, class_name, file;
    uint32_t line; /* 0: not known, or not user code */
    uint32_t reserved;
};

struct php_stack {
    uint32_t count;   /* frames[] in use, innermost first */
    uint32_t skipped; /* frames left out between frames[PHP_STACK_INNER-1] and the next */
    uint32_t cut; /* 1: the walk hit its depth or unreadable memory; the outermost are missing */
    uint32_t reserved;
    struct php_frame frames[LIMIT_PHP_FRAMES];
};

/* Fills `ret_stack`; returns its count, 0 when no PHP code runs. */
SIGNAL_SAFE uint32_t php_stack_walk(const struct php_engine *engine,
                                    const struct php_layout *layout, struct memory_reader *reader,
                                    struct php_stack *ret_stack);

/*
 * Write the frames, innermost first, one a line: function TAB class TAB file:line LF.
 *
 *   - function is empty for the body of a file; file:line is empty for internal functions
 *   - names are cut at a NUL (anonymous classes carry their place behind one), and shortened so
 *     that a line has at most LIMIT_FRAME_BYTES; a long file keeps its tail behind "..."
 *   - control characters are written \xNN
 *   - a line "{N frames cut}" TAB TAB stands where frames were left out, "{stack cut}" TAB TAB at
 *     the end when the outermost ones are missing
 *
 * Returns the bytes written, whole lines only, never more than `cap_bytes`; not NUL-terminated.
 */
SIGNAL_SAFE size_t php_stack_write(const struct php_stack *stack, struct memory_reader *reader,
                                   char *buf, size_t cap_bytes);

enum php_stack_check { PHP_STACK_UNCHECKED, PHP_STACK_RIGHT, PHP_STACK_WRONG };

/*
 * Compare with the file and line that the engine itself gives for the running user code.
 * UNCHECKED: no user code is running, or a line that only the engine knows.  Follows no pointer of
 * `stack`.  Normal context only.
 */
enum php_stack_check php_stack_check(const struct php_engine *engine,
                                     const struct php_stack *stack);

#endif
