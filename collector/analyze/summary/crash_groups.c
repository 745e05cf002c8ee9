/* crash_groups.c - deaths with something in common. */
#include "analyze/summary/crash_groups.h"

#include <errno.h>
#include <stdlib.h>

#include "base/idmap.h"

/* "libc.so.6+0x167ad8" -> "libc.so.6": another call of the same function faults elsewhere in it. */
static struct slice without_offset(struct slice place)
{
    ptrdiff_t plus = slice_find(place, SLICE("+0x"));

    return plus > 0 ? slice_head(place, (size_t) plus) : place;
}

/* An endless recursion ends wherever the stack does: its innermost function means nothing. */
static struct slice function_of(const struct summary_crash *crash)
{
    if (crash->stack_overflow)
        return SLICE("");
    if (crash->native_stack.count > 0)
        return without_offset(crash->native_stack.items[0]);
    return without_offset(crash->faulting);
}

static struct slice frame_of(const struct summary_crash *crash)
{
    if (crash->blamed_frame.len_bytes > 0)
        return crash->blamed_frame;
    /* The innermost function that somebody wrote: PHP's own ones have no "(file:line)". */
    for (size_t i = 0; i < crash->php_stack.count; i++)
        if (slice_find(crash->php_stack.items[i], SLICE(" (")) > 0)
            return crash->php_stack.items[i];
    return crash->php_stack.count > 0 ? crash->php_stack.items[0] : SLICE("");
}

static bool belongs(const struct crash_group *group, const struct summary_crash *crash)
{
    const struct summary_crash *example = group->example;
    bool is_known = group->function.len_bytes > 0 || group->frame.len_bytes > 0;

    return example->signo == crash->signo && example->code == crash->code &&
           example->stack_overflow == crash->stack_overflow &&
           slice_equal(example->killer, crash->killer) &&
           slice_equal(group->function, function_of(crash)) &&
           slice_equal(group->frame, frame_of(crash)) &&
           (is_known || slice_equal(example->route, crash->route));
}

static uint64_t mix_text(uint64_t hash, struct slice text)
{
    for (size_t i = 0; i < text.len_bytes; i++)
        hash = (hash ^ (unsigned char) text.ptr[i]) * UINT64_C(0x100000001b3);
    return idmap_mix(hash ^ text.len_bytes);
}

/* Equal for deaths of one group; all members agree on what is hashed here. */
static uint64_t key_of(const struct summary_crash *crash)
{
    struct slice function = function_of(crash), frame = frame_of(crash);
    uint64_t hash = mix_text((uint64_t) crash->signo << 8 ^ crash->stack_overflow, function);

    hash = mix_text(mix_text(hash, frame), crash->killer);
    if (function.len_bytes == 0 && frame.len_bytes == 0)
        hash = mix_text(hash, crash->route);
    return hash;
}

static void count_route(struct crash_group *group, struct slice route)
{
    for (size_t i = 0; i < group->route_count; i++) {
        if (!slice_equal(group->routes[i].route, route))
            continue;
        group->routes[i].count++;
        for (; i > 0 && group->routes[i - 1].count < group->routes[i].count; i--) {
            struct crash_group_route less = group->routes[i - 1];

            group->routes[i - 1] = group->routes[i];
            group->routes[i] = less;
        }
        return;
    }
    if (group->route_count == CRASH_GROUP_ROUTES)
        group->routes_not_kept++;
    else
        group->routes[group->route_count++] = (struct crash_group_route){route, 1};
}

static void add_to(struct crash_group *group, const struct summary_crash *crash)
{
    group->count++;
    if (crash->time_us < group->first_us)
        group->first_us = crash->time_us;
    if (crash->time_us > group->last_us)
        group->last_us = crash->time_us;
    if (crash->route.len_bytes > 0)
        count_route(group, crash->route);
}

/* Two keys may share a hash: then the second group is found by walking on. */
static struct crash_group *group_of(struct crash_groups *groups, struct idmap *index,
                                    const struct summary_crash *crash)
{
    uint64_t key = key_of(crash);
    uint32_t at = 0;

    while (idmap_get(index, key, &at)) {
        if (belongs(&groups->items[at], crash))
            return &groups->items[at];
        key = idmap_mix(key + 1);
    }
    if (idmap_put(index, key, (uint32_t) groups->count) < 0)
        return NULL;
    struct crash_group *group = &groups->items[groups->count++];

    *group = (struct crash_group){
        .example = crash,
        .function = function_of(crash),
        .frame = frame_of(crash),
        .first_us = crash->time_us,
        .last_us = crash->time_us,
    };
    return group;
}

static int compare_groups(const void *a, const void *b)
{
    const struct crash_group *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->last_us > y->last_us ? -1 : x->last_us < y->last_us;
}

static void compare_with_milestones(const struct summary_result *result, struct crash_group *group)
{
    group->after_mark = milestone_before(result->milestones, result->milestone_count,
                                         MILESTONE_MARK, group->first_us);
    group->after_restart = milestone_before(result->milestones, result->milestone_count,
                                            MILESTONE_RESTART, group->first_us);
}

int crash_groups_make(const struct summary_result *result, struct crash_groups *ret_groups)
{
    struct crash_groups *groups = ret_groups;
    struct idmap index;

    *groups = (struct crash_groups){calloc(result->crash_count + 1, sizeof *groups->items), 0};
    if (!groups->items)
        return -ENOMEM;
    idmap_init(&index, result->crash_count + 1);
    for (size_t i = 0; i < result->crash_count; i++) {
        struct crash_group *group = group_of(groups, &index, &result->crashes[i]);

        if (!group) {
            idmap_release(&index);
            crash_groups_release(groups);
            return -ENOMEM;
        }
        add_to(group, &result->crashes[i]);
    }
    idmap_release(&index);
    qsort(groups->items, groups->count, sizeof *groups->items, compare_groups);
    for (size_t i = 0; i < groups->count; i++)
        compare_with_milestones(result, &groups->items[i]);
    return 0;
}

void crash_groups_release(struct crash_groups *groups)
{
    free(groups->items);
    *groups = (struct crash_groups){0};
}
