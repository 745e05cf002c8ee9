/*
 * picture.h - who holds the sampled bytes of the Zend heap, and who held them at the peak.
 *
 * Picture a warehouse with a chalk line on the wall.  Each sampled block is a crate with the name
 * of a stack and the weight that it stands for; whenever the pile rises above the line, the line
 * is drawn anew, and what the line shows is the answer: who owned which part of the highest pile.
 *
 * Nothing is copied when the line is drawn.  A stack keeps what it holds now and what it held at
 * the line; the second is filled in just before the first changes, if the line was drawn since its
 * last change (`epoch`).  So every operation is O(1).
 *
 * Blocks lie side by side in the order in which they came; an index of 8 KB says by address which
 * is where.  Every free of the heap looks an address up and nearly none is there, so the index is
 * small enough to stay in the first-level cache beside the host's own memory.  Who finds blocks[]
 * full calls picture_thin() and doubles the sampling interval: every small block is dropped or
 * doubled in weight by the toss of a coin, which leaves all sums unbiased.
 *
 * Fixed memory, given by the caller, zero-initialised (9 MB of address space, of which a
 * request touches some ten to forty pages).  No clock, no system call, no allocation; one thread.
 */
#ifndef FPMSCOPE_ZEND_PICTURE_H
#define FPMSCOPE_ZEND_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PICTURE_PLACES = 4096, /* of the index; a power of two */
    PICTURE_BLOCKS_MAX = PICTURE_PLACES / 4 * 3,
    PICTURE_STACKS_MAX = 8192,
    PICTURE_STACK_PLACES = 2 * PICTURE_STACKS_MAX,
    PICTURE_TEXT_BYTES = 8 * 1024 * 1024,
    PICTURE_OTHERS = 0, /* the stack that stands for all that found no room */
};

struct picture_block {
    uintptr_t address;
    uint64_t seen_bytes;   /* of it that had their chance to be picked: the largest size so far */
    uint64_t weight_bytes; /* what it stands for: size / chance */
    float chance;          /* that a block like this is in the table, 0..1 */
    uint32_t stack;
};

struct picture_stack {
    uint64_t hash;                   /* 0: PICTURE_OTHERS */
    uint64_t live_bytes, peak_bytes; /* now; when the line was drawn */
    uint32_t live_blocks, peak_blocks;
    uint32_t epoch; /* of the last change */
    uint32_t text_at, text_len_bytes;
};

struct picture {
    uint64_t live_bytes, peak_bytes;
    uint32_t epoch; /* how often the line was drawn */
    uint32_t block_count, stack_count;
    uint32_t text_len_bytes;
    uint16_t index[PICTURE_PLACES]; /* open addressing: 1 + index into blocks[]; 0: free */
    struct picture_block blocks[PICTURE_BLOCKS_MAX];
    uint16_t places[PICTURE_STACK_PLACES]; /* the same of stacks[] */
    struct picture_stack stacks[PICTURE_STACKS_MAX];
    char texts[PICTURE_TEXT_BYTES];
};

/* That one of `bytes` is picked: 1 - exp(-bytes / interval), as alloc/sampler.h explains. */
double picture_chance(uint64_t bytes, uint64_t interval_bytes);

/* Bytes that a block of this size stands for when it was picked with that chance. */
uint64_t picture_weight_bytes(uint64_t size_bytes, double chance);

/* The stack with that hash, made when it is new; PICTURE_OTHERS when there is no room. */
uint32_t picture_stack_of(struct picture *picture, uint64_t hash, bool *ret_new);

/* Where the text of a new stack goes, and how much room is left. */
char *picture_text_room(struct picture *picture, size_t *ret_room_bytes);
void picture_text_written(struct picture *picture, uint32_t stack, size_t len_bytes);

static inline uint32_t picture_place_of(uintptr_t address)
{
    return (uint32_t) (((uint64_t) address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 52);
}
_Static_assert(PICTURE_PLACES == 1 << 12, "the shift of picture_place_of()");

/* The sampled block at `address`, NULL for most.  Valid until the next change. */
static inline struct picture_block *picture_find(struct picture *picture, uintptr_t address)
{
    uint32_t place = picture_place_of(address);

    for (; picture->index[place] != 0; place = (place + 1) % PICTURE_PLACES)
        if (picture->blocks[picture->index[place] - 1].address == address)
            return &picture->blocks[picture->index[place] - 1];
    return NULL;
}

/* Before a change: what the stack holds now is what it held at the line, if that is news. */
static inline struct picture_stack *picture_settled(struct picture *picture, uint32_t stack)
{
    struct picture_stack *it = &picture->stacks[stack];

    if (it->epoch != picture->epoch) {
        it->peak_bytes = it->live_bytes;
        it->peak_blocks = it->live_blocks;
        it->epoch = picture->epoch;
    }
    return it;
}

/* A block of that stack begins or ends; its place is kept elsewhere, or in blocks[] below. */
static inline void picture_grow(struct picture *picture, uint32_t stack, uint64_t bytes)
{
    struct picture_stack *it = picture_settled(picture, stack);

    it->live_bytes += bytes;
    it->live_blocks++;
    picture->live_bytes += bytes;
    if (picture->live_bytes > picture->peak_bytes) {
        picture->peak_bytes = picture->live_bytes;
        picture->epoch++;
    }
}

static inline void picture_shrink(struct picture *picture, uint32_t stack, uint64_t bytes)
{
    struct picture_stack *it = picture_settled(picture, stack);

    it->live_bytes -= bytes;
    it->live_blocks--;
    picture->live_bytes -= bytes;
}

/* A block was picked.  False: the table is full, nothing was taken. */
bool picture_add(struct picture *picture, const struct picture_block *block);

/* It is freed. */
void picture_remove(struct picture *picture, struct picture_block *block);

/* Make room: drop or double every block that weighs less than `sure_bytes`; `random` is consumed
 * bit by bit through xorshift. */
void picture_thin(struct picture *picture, uint64_t sure_bytes, uint64_t random);

/* No block changes any more: fill in what every stack held at the peak. */
void picture_finish(struct picture *picture);

/* As when it was new.  It costs what was used, and touches nothing else; who wants the memory back,
 * too, lets the system zero it instead. */
void picture_clear(struct picture *picture);

/* What picture_clear() would leave in memory, roughly. */
static inline size_t picture_used_bytes(const struct picture *picture)
{
    return picture->text_len_bytes + picture->stack_count * sizeof *picture->stacks;
}

#endif
