/* exact_groups.c - see exact_groups.h. */
#include "alloc/exact_groups.h"

#include "banned.h"

static uint32_t number_of(const struct exact_groups *groups, const struct exact_group *group)
{
    return (uint32_t) (group - groups->items);
}

static struct exact_group *take_spare(struct exact_groups *groups)
{
    struct exact_group *group;

    if (groups->spare == 0)
        return groups->used + 1 < EXACT_GROUPS_MAX ? &groups->items[++groups->used] : NULL;
    group = &groups->items[groups->spare];
    groups->spare = group->next;
    return group;
}

/* Nobody has a block of it any more.  A thread that was late to say so may still put it on the list
 * of changes, whose two fields are therefore never reset here. */
static void give_back(struct exact_groups *groups, struct exact_group *group)
{
    group->state = EXACT_GROUP_SPARE;
    group->next = groups->spare;
    groups->spare = number_of(groups, group);
}

uint32_t exact_groups_add(struct exact_groups *groups, uint64_t seq, uint32_t stack)
{
    struct exact_group *group = take_spare(groups);

    if (!group)
        return EXACT_GROUP_NONE;
    group->born_bytes = group->died_bytes = group->told_bytes = group->id = 0;
    group->born_blocks = group->died_blocks = 0;
    __atomic_store_n(&group->away_bytes, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&group->away_blocks, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&group->was_freed, false, __ATOMIC_RELAXED);
    group->stack = stack;
    group->seq = seq;
    group->state = EXACT_GROUP_FRESH;
    group->next = groups->fresh;
    groups->fresh = number_of(groups, group);
    return groups->fresh;
}

static void note_change(struct exact_groups *groups, struct exact_group *group)
{
    uint32_t head;

    if (__atomic_exchange_n(&group->is_changed, true, __ATOMIC_ACQ_REL))
        return;
    head = __atomic_load_n(&groups->changed, __ATOMIC_RELAXED);
    do
        group->next_changed = head;
    while (!__atomic_compare_exchange_n(&groups->changed, &head, number_of(groups, group), true,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void exact_group_died(struct exact_groups *groups, uint32_t number, size_t bytes, bool realloced)
{
    struct exact_group *group = &groups->items[number];

    group->died_bytes += bytes;
    group->died_blocks++;
    if (!realloced)
        __atomic_store_n(&group->was_freed, true, __ATOMIC_RELAXED);
    if (group->state == EXACT_GROUP_OLD)
        note_change(groups, group);
}

/* Counted before the change is noted, and bytes before blocks: who sees the last block gone sees
 * all of it. */
void exact_group_died_away(struct exact_groups *groups, uint32_t number, size_t bytes,
                           bool realloced)
{
    struct exact_group *group = &groups->items[number];

    if (!realloced)
        __atomic_store_n(&group->was_freed, true, __ATOMIC_RELAXED);
    __atomic_fetch_add(&group->away_bytes, bytes, __ATOMIC_RELAXED);
    __atomic_fetch_add(&group->away_blocks, 1, __ATOMIC_RELEASE);
    note_change(groups, group);
}

struct exact_live exact_group_live(const struct exact_group *group)
{
    const uint32_t away_blocks = __atomic_load_n(&group->away_blocks, __ATOMIC_ACQUIRE);

    return (struct exact_live){
        .blocks = group->born_blocks - group->died_blocks - away_blocks,
        .bytes = group->born_bytes - group->died_bytes -
                 __atomic_load_n(&group->away_bytes, __ATOMIC_RELAXED),
    };
}

bool exact_group_was_freed(const struct exact_group *group)
{
    return __atomic_load_n(&group->was_freed, __ATOMIC_RELAXED);
}

void exact_groups_settle(struct exact_groups *groups,
                         void (*visit)(void *context, struct exact_group *group,
                                       struct exact_live live),
                         void *context)
{
    uint32_t number = groups->fresh;

    groups->fresh = 0;
    while (number != 0) {
        struct exact_group *group = &groups->items[number];
        const struct exact_live live = exact_group_live(group);

        number = group->next;
        if (live.blocks == 0) {
            give_back(groups, group);
            continue;
        }
        group->state = EXACT_GROUP_OLD;
        visit(context, group, live);
    }
}

/* One that is fresh or spare was put on the list by another thread: it is looked at when its
 * request is over, or was. */
void exact_groups_take_changed(struct exact_groups *groups,
                               void (*visit)(void *context, struct exact_group *group,
                                             struct exact_live live),
                               void *context)
{
    uint32_t number = __atomic_exchange_n(&groups->changed, 0, __ATOMIC_ACQUIRE);

    while (number != 0) {
        struct exact_group *group = &groups->items[number];
        struct exact_live live;

        number = group->next_changed;
        __atomic_exchange_n(&group->is_changed, false, __ATOMIC_ACQ_REL);
        if (group->state != EXACT_GROUP_OLD)
            continue;
        live = exact_group_live(group);
        visit(context, group, live);
        if (live.blocks == 0)
            give_back(groups, group);
    }
}
