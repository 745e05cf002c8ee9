/*
 * exact_groups.h - blocks that one request made at one stack, counted together.
 *
 * Picture a cloakroom ticket that is given to a whole party: every block of a group carries the
 * group's number (exact_marks.h), and nobody looks at single coats.  A group is
 *
 *   fresh    while its request runs: blocks are born and die
 *   old      its request is over and left some of them: they only die, and each change is told
 *   spare    all dead; the number is given out again
 *
 * Births are the main thread's.  Blocks die on any thread: the main one counts in plain words,
 * the others in one of their own by atomic adds, and an old group that has changed puts itself on a
 * push-only list, which the main thread takes whole.
 */
#ifndef FPMSCOPE_ALLOC_EXACT_GROUPS_H
#define FPMSCOPE_ALLOC_EXACT_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EXACT_GROUPS_MAX = 1 << 20, /* alive at once */
    EXACT_GROUP_NONE = 0,
};

enum exact_group_state { EXACT_GROUP_SPARE, EXACT_GROUP_FRESH, EXACT_GROUP_OLD };

struct exact_group {
    uint64_t born_bytes, died_bytes; /* on the main thread */
    uint32_t born_blocks, died_blocks;
    uint64_t away_bytes; /* died on other threads */
    uint32_t away_blocks;
    uint32_t stack; /* as the caller numbers them */
    uint64_t seq;
    uint64_t id;         /* that the collector knows it by */
    uint64_t told_bytes; /* what it has been told to hold; 0: nothing was told */
    uint32_t next;       /* in the list of spare, or of fresh ones */
    uint32_t next_changed;
    uint8_t state;      /* enum exact_group_state */
    uint8_t is_changed; /* it is on that list */
    uint8_t was_freed;  /* not only moved by realloc() */
};

/* Zero-initialised but for `items`. */
struct exact_groups {
    struct exact_group *items; /* the caller's: EXACT_GROUPS_MAX, all 0; [0] is nobody's */
    uint32_t used;             /* items[1..used] were given out before */
    uint32_t spare, fresh;     /* heads of lists; 0: empty */
    uint32_t changed;
};

struct exact_live {
    uint64_t bytes;
    uint32_t blocks;
};

/* A new fresh group, EXACT_GROUP_NONE when there are too many. */
uint32_t exact_groups_add(struct exact_groups *groups, uint64_t seq, uint32_t stack);

static inline void exact_group_born(struct exact_groups *groups, uint32_t number, size_t bytes)
{
    struct exact_group *group = &groups->items[number];

    group->born_bytes += bytes;
    group->born_blocks++;
}

/* A block of the group dies, on the main thread or another one. */
void exact_group_died(struct exact_groups *groups, uint32_t number, size_t bytes, bool realloced);
void exact_group_died_away(struct exact_groups *groups, uint32_t number, size_t bytes,
                           bool realloced);

/* What is left of it, and whether any of its blocks was freed rather than moved by realloc(). */
struct exact_live exact_group_live(const struct exact_group *group);
bool exact_group_was_freed(const struct exact_group *group);

/* The request is over: fresh groups that have anything left become old, `visit` is called for each;
 * the others become spare. */
void exact_groups_settle(struct exact_groups *groups,
                         void (*visit)(void *context, struct exact_group *group,
                                       struct exact_live live),
                         void *context);

/* Old groups that changed since the last time; the empty ones become spare behind `visit`. */
void exact_groups_take_changed(struct exact_groups *groups,
                               void (*visit)(void *context, struct exact_group *group,
                                             struct exact_live live),
                               void *context);

#endif
