/*
 * worker_stacks.h - all that a worker needs to turn "here" into the id of a stack.
 *
 *     worker_stacks_init(&stacks, argv, &loader)       constructor, before chroot
 *     note = worker_stacks_start(&stacks)              first accept(): finds PHP's layout
 *     id = worker_stacks_take(&stacks, caller, what, &text)
 *     if (text.is_new && !send_stack(id, &text))       the text goes first, once per worker
 *         worker_stacks_unsent(&stacks, &text)
 *
 * The first stack with user code in it is compared with what the engine says of itself.  When they
 * disagree it is not used; after the third time PHP stacks are off for good, and
 * worker_stacks_take_note() says so, once.  (A single time may be the engine's: while it computes a
 * constant it answers with the place of the constant.)
 *
 * Main thread, normal context, the shim's guard held; never inside dlopen()/dlclose().
 */
#ifndef FPMSCOPE_STACK_WORKER_STACKS_H
#define FPMSCOPE_STACK_WORKER_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fpmscope/limits.h"
#include "stack/native_stack.h"
#include "stack/php_engine.h"
#include "stack/php_layout.h"
#include "stack/stack_table.h"

enum {
    WORKER_STACKS_TEXT_BYTES = 14 * 1024, /* a STACK message fits in a packet */
    WORKER_STACKS_CONTRADICTIONS_MAX = 3,
};

enum worker_stacks_what { WORKER_STACKS_PHP = 1 << 0, WORKER_STACKS_NATIVE = 1 << 1 };

/* About 100 KB, of which an idle worker touches nothing: make it static. */
struct worker_stacks {
    struct php_engine engine;
    struct php_build build;          /* version empty: not found */
    const struct php_layout *layout; /* NULL: no PHP stacks */
    struct native_stack native;
    bool checked;            /* the engine agreed with the walker once */
    uint8_t contradictions;  /* how often it did not, before */
    uint16_t note;           /* enum wire_note_code that nobody has taken yet, 0 for none */
    bool library_was_missed; /* and a note has said so */
    struct stack_table table;
    char php_text[WORKER_STACKS_TEXT_BYTES];
    uintptr_t pcs[LIMIT_NATIVE_FRAMES];
};

/* Valid until the next take. */
struct stack_text {
    uint64_t hash;
    bool is_new;
    const char *php; /* as in wire STACK; only when is_new */
    uint16_t php_len_bytes;
    const uintptr_t *pcs;
    uint16_t pc_count;
};

/* `stack_top` and `loader`: see native_stack_init(). */
void worker_stacks_init(struct worker_stacks *stacks, const void *stack_top,
                        const struct unwind_loader *loader);

/* A request begins: libunwind may be asked again. */
static inline void worker_stacks_begin_request(struct worker_stacks *stacks)
{
    unwind_library_renew(&stacks->native.fallback);
}

/* Find version and layout, start the unwinder.  Returns the WIRE_CAN_... bits that hold here; what
 * is missing is left as a note. */
uint32_t worker_stacks_start(struct worker_stacks *stacks);

/*
 * The id of the stack at `caller`, the return address of the wrapped function; `what`:
 * WORKER_STACKS_... bits.  0 when neither PHP nor native frames were found.
 */
uint32_t worker_stacks_take(struct worker_stacks *stacks, const void *caller, unsigned what,
                            struct stack_text *ret_text);

/* The same without an id: the hash, the program counters and PHP's raw frames (good until the
 * script goes on).  Returns the hash, 0 when there are no frames. */
uint64_t worker_stacks_look(struct worker_stacks *stacks, const void *caller, unsigned what,
                            struct php_stack *ret_php, struct stack_text *ret_text);

/* The PHP frames of this moment; returns the hash of their contents, 0 when there are none. */
uint64_t worker_stacks_walk(struct worker_stacks *stacks, struct php_stack *ret_php);

/* The id of text->hash, as worker_stacks_take() would give it; sets text->is_new. */
uint32_t worker_stacks_intern(struct worker_stacks *stacks, struct stack_text *text);

/* PHP frames of this moment into `buf`, without id or table; for the recorder's growth ring.
 * Returns the bytes written. */
size_t worker_stacks_write_php(struct worker_stacks *stacks, char *buf, size_t cap_bytes);

/* The text could not be sent: announce it again next time. */
void worker_stacks_unsent(struct worker_stacks *stacks, const struct stack_text *text);

/* A new collector: every text must be announced again. */
void worker_stacks_reset(struct worker_stacks *stacks);

struct worker_stacks_note {
    uint16_t code;      /* enum wire_note_code; 0: nothing to say */
    const char *detail; /* what is missing; of WIRE_NOTE_LAYOUT: which PHP it is */
};

/* The note to send; asked again there is none. */
struct worker_stacks_note worker_stacks_take_note(struct worker_stacks *stacks);

#endif
