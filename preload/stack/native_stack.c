/* native_stack.c - follow return addresses outwards, and remember how it was done. */
#include "stack/native_stack.h"

#include <string.h>

#include "base/marks.h"
#include "fpmscope/limits.h"
#include "stack/memory_reader.h"
#include "stack/unwind_image.h"
#include "banned.h"

enum {
    OWN_FRAMES_MAX = 16, /* ours that may lie between here and the wrapped function's caller */
    CAPTURE_MAX = LIMIT_NATIVE_FRAMES + OWN_FRAMES_MAX,
    OWN_STACK_MAX_BYTES = 8 << 20, /* below the stack's end; further down may be something else */
    CHAIN_MAX_BYTES = 16 << 10,    /* libunwind's own limit */
};

struct frame {
    uintptr_t pc, sp, fp;
};

struct walk {
    struct native_stack *native;
    struct memory_reader *reader; /* NULL: plain loads */
    uintptr_t bottom;             /* nothing below is a frame */
    struct frame frame;
};

/* The frame of the function that this is inlined into. */
static inline __attribute__((always_inline)) struct frame frame_here(void)
{
    struct frame frame;

#if defined(__x86_64__)
    __asm__ volatile("lea 0(%%rip), %0\n\tmov %%rsp, %1\n\tmov %%rbp, %2"
                     : "=&r"(frame.pc), "=&r"(frame.sp), "=&r"(frame.fp));
#elif defined(__aarch64__)
    __asm__ volatile("adr %0, .+4\n\tmov %1, sp\n\tmov %2, x29"
                     : "=&r"(frame.pc), "=&r"(frame.sp), "=&r"(frame.fp));
#endif
    return frame;
}

/* A signed return address without its signature. */
static uintptr_t plain_address(uintptr_t address)
{
#if defined(__aarch64__)
    return address & ((UINT64_C(1) << 48) - 1);
#else
    return address;
#endif
}

/* Why there is no row that we understand; without the header only the library can look. */
static enum unwind_base unknown_base(const struct unwind_image *image, uintptr_t pc)
{
    return image->header != 0 && !unwind_table_covers(image, pc) ? UNWIND_BASE_ABSENT
                                                                 : UNWIND_BASE_UNKNOWN;
}

/* The loader goes through all that is loaded, so it is asked once per library.  NULL: in none. */
static const struct unwind_image *image_around(struct native_stack *native, uintptr_t pc)
{
    struct unwind_image *image;

    for (size_t i = 0; i < NATIVE_STACK_IMAGES; i++)
        if (pc >= native->images[i].text.start && pc < native->images[i].text.end)
            return &native->images[i];
    image = &native->images[native->images_met % NATIVE_STACK_IMAGES];
    if (!unwind_image_find(pc, image))
        return NULL;
    native->images_met++;
    return image;
}

static void learn_rule(struct native_stack *native, struct native_rule *rule, uintptr_t pc)
{
    const struct unwind_image *image = image_around(native, pc);

    rule->pc = pc;
    rule->row = (struct unwind_row){.cfa = UNWIND_BASE_NONE};
    if (image && !unwind_table_row(image, pc, &rule->row))
        rule->row.cfa = (uint8_t) unknown_base(image, pc);
}

static const struct unwind_row *row_at(struct native_stack *native, uintptr_t pc)
{
    const uint64_t hash = pc * UINT64_C(0x9e3779b97f4a7c15);
    struct native_rule *rule = &native->rules[hash >> (64 - NATIVE_STACK_RULES_BITS)];

    if (unlikely(rule->pc != pc))
        learn_rule(native, rule, pc);
    return &rule->row;
}

static bool load(const struct walk *walk, uintptr_t address, uintptr_t *ret_word)
{
    if (address < walk->bottom || address % sizeof *ret_word != 0)
        return false;
    if (unlikely(walk->reader != NULL))
        return memory_reader_read(walk->reader, address, ret_word, sizeof *ret_word);
    if (address > walk->native->top - sizeof *ret_word)
        return false;
    memcpy(ret_word, (const void *) address, sizeof *ret_word);
    return true;
}

static uintptr_t add(uintptr_t address, int32_t offset_bytes)
{
    return address + (uintptr_t) (intptr_t) offset_bytes;
}

/* `was` is what the register has now. */
static bool recover(const struct walk *walk, struct unwind_place place, uintptr_t cfa,
                    uintptr_t was, uintptr_t *ret_word)
{
    switch (place.where) {
    case UNWIND_AT_CFA:
        return load(walk, add(cfa, place.offset_bytes), ret_word);
    case UNWIND_AT_FP:
        return load(walk, add(walk->frame.fp, place.offset_bytes), ret_word);
    case UNWIND_SAME:
        *ret_word = was;
        return true;
    default:
        return false;
    }
}

/* To the caller's frame; false: this one is the outermost, or the way is not known. */
static bool step_out(struct walk *walk)
{
    const struct unwind_row *row = row_at(walk->native, walk->frame.pc - 1);
    const uintptr_t base = row->cfa == UNWIND_BASE_SP ? walk->frame.sp : walk->frame.fp;
    struct frame caller = {.sp = add(base, row->cfa_offset_bytes)};

    if (row->cfa <= UNWIND_BASE_UNKNOWN ||
        (row->cfa == UNWIND_BASE_AT_FP && !load(walk, caller.sp, &caller.sp)) ||
        caller.sp <= walk->frame.sp)
        return false;
    if (!recover(walk, row->ra, caller.sp, 0, &caller.pc) || caller.pc == 0)
        return false;
    if (!recover(walk, row->fp, caller.sp, walk->frame.fp, &caller.fp))
        caller.fp = 0;
    caller.pc = plain_address(caller.pc);
    walk->frame = caller;
    return true;
}

static size_t walk_out(struct walk *walk, uintptr_t *ret_pcs, size_t max)
{
    size_t count = 0;

    do
        ret_pcs[count++] = walk->frame.pc;
    while (count < max && step_out(walk));
    return count;
}

/* Not inlined: the reader's window is a page of stack. */
static __attribute__((noinline)) size_t walk_guarded(struct walk *walk, uintptr_t *ret_pcs,
                                                     size_t max)
{
    struct memory_reader reader;

    memory_reader_init(&reader);
    walk->reader = &reader;
    const size_t count = walk_out(walk, ret_pcs, max);

    walk->reader = NULL;
    return count;
}

/* Where a row is missing the library takes the frame pointer for one, when it can be. */
static bool may_be_chained(struct frame frame)
{
    return frame.fp >= frame.sp && frame.fp - frame.sp <= CHAIN_MAX_BYTES;
}

/* Does only the library know the way from the frame where the walk ended?  Its row is written by
 * other means than ours, or needs a frame pointer that such a row has kept from us. */
static bool is_beyond_us(const struct walk *walk)
{
    const struct unwind_row *row = row_at(walk->native, walk->frame.pc - 1);

    if (row->cfa == UNWIND_BASE_ABSENT)
        return may_be_chained(walk->frame);
    return row->cfa == UNWIND_BASE_UNKNOWN || row->ra.where == UNWIND_OTHERWISE ||
           (row->cfa >= UNWIND_BASE_FP && walk->frame.fp == 0);
}

static bool is_own_stack(const struct native_stack *native, uintptr_t sp)
{
    return sp < native->top && native->top - sp < OWN_STACK_MAX_BYTES;
}

/* How many frames to leave out: up to `caller`, or ours. */
static size_t leading(const struct native_stack *native, const uintptr_t *pcs, size_t count,
                      const void *caller)
{
    size_t first = 0;

    while (first < count && pcs[first] != (uintptr_t) caller)
        first++;
    if (first < count)
        return first;
    first = 0;
    while (first < count && pcs[first] >= native->self.start && pcs[first] < native->self.end)
        first++;
    return first;
}

/* Rules of libraries that were closed may be about others by now. */
static void forget_closed(struct native_stack *native)
{
    const uint64_t generation = unwind_image_generation();

    if (generation == native->generation)
        return;
    memset(native->rules, 0, sizeof native->rules);
    memset(native->images, 0, sizeof native->images);
    native->generation = generation;
    unwind_library_forget(&native->fallback);
}

/* Where a row is missing the library guesses: what lies in no file is none of its frames. */
static size_t count_in_files(struct native_stack *native, const uintptr_t *pcs, size_t count)
{
    size_t i = 0;

    while (i < count && row_at(native, pcs[i] - 1)->cfa != UNWIND_BASE_NONE)
        i++;
    return i;
}

/* The library's stack replaces our `count` frames when it begins like them and goes on.  Not
 * inlined: few stacks need the room.  Returns how many frames there are now. */
static __attribute__((noinline)) size_t ask_library(struct native_stack *native, const void *caller,
                                                    uintptr_t *pcs, size_t count, size_t max)
{
    uintptr_t theirs[CAPTURE_MAX];
    const size_t got = unwind_library_ask(&native->fallback, theirs, CAPTURE_MAX);
    const size_t first = leading(native, theirs, got, caller);
    const size_t limit = got - first < max ? got - first : max;
    size_t more = 0;

    if (limit > count && memcmp(theirs + first, pcs, count * sizeof *pcs) == 0) {
        more = count_in_files(native, theirs + first + count, limit - count);
        memcpy(pcs + count, theirs + first + count, more * sizeof *pcs);
    }
    if (more == 0)
        unwind_library_asked_in_vain(&native->fallback, pcs[count - 1]);
    return count + more;
}

void native_stack_init(struct native_stack *native, const void *stack_top,
                       const struct unwind_loader *loader)
{
    if (loader)
        unwind_library_load(&native->fallback, loader);
    native->top = (uintptr_t) stack_top & ~(sizeof(uintptr_t) - 1);
}

bool native_stack_start(struct native_stack *native)
{
    struct unwind_image self;
    struct unwind_row row;
    const uintptr_t here = (uintptr_t) native_stack_start;

    if (!native->started && unwind_image_find(here, &self) && unwind_table_row(&self, here, &row)) {
        native->self = self.text;
        native->generation = unwind_image_generation();
        native->started = true;
    }
    return native->started;
}

size_t native_stack_capture(struct native_stack *native, const void *caller, uintptr_t *ret_pcs,
                            size_t max)
{
    struct walk walk = {.native = native, .frame = frame_here()};
    uintptr_t pcs[CAPTURE_MAX];
    const size_t wanted = max < LIMIT_NATIVE_FRAMES ? max + OWN_FRAMES_MAX : CAPTURE_MAX;
    size_t got, first;

    if (!native->started)
        return 0;
    forget_closed(native);
    walk.bottom = walk.frame.sp;
    got = is_own_stack(native, walk.bottom) ? walk_out(&walk, pcs, wanted)
                                            : walk_guarded(&walk, pcs, wanted);
    first = leading(native, pcs, got, caller);
    got = got - first < max ? got - first : max;
    memcpy(ret_pcs, pcs + first, got * sizeof *pcs);
    if (got == 0 || got == max || !is_beyond_us(&walk))
        return got;
    if (!unwind_library_may_help(&native->fallback, ret_pcs[got - 1]))
        return got;
    return ask_library(native, caller, ret_pcs, got, max);
}
