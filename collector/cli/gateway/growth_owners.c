/*
 * growth_owners.c - growth events -> the largest stack of each request -> its module.
 *
 * One reading finds out which stacks matter; each is then fetched and named once.  A worker's
 * growths come in order, so that a request is over when its number changes.
 */
#include "cli/gateway/growth_owners.h"

#include <errno.h>
#include <stdlib.h>

#include "analyze/module/blame.h"
#include "analyze/module/php_frame.h"
#include "base/array.h"
#include "base/idmap.h"

enum {
    REQUESTS_MAX = 65536,
    WORKERS_MAX = 65536,
    STACKS_PER_REQUEST = 4, /* a request that takes much takes it in few places */
    SHOWN_BYTES = 512,
};

struct growth {
    int64_t stack, bytes;
};

/* One request's growth. */
struct grown {
    int64_t pid, seq, last_us;
    struct growth stacks[STACKS_PER_REQUEST];
    uint32_t next; /* index + 1 of the next one with the same largest stack, 0: none */
};

struct growths {
    struct array requests;  /* of struct grown */
    struct idmap by_worker; /* pid -> index of its newest */
    struct idmap by_stack;  /* largest stack -> index + 1 of a request */
    const struct module_rules *rules;
    struct gateway *gateway;
};

static struct grown *request_of(struct growths *growths, const struct event *event)
{
    struct grown *grown = NULL;
    uint32_t at;

    if (idmap_get(&growths->by_worker, (uint64_t) event->pid, &at))
        grown = array_at(&growths->requests, at);
    if (grown && grown->seq == event->seq)
        return grown;
    grown = array_add(&growths->requests);
    if (!grown)
        return NULL;
    *grown = (struct grown){.pid = event->pid, .seq = event->seq};
    (void) idmap_put(&growths->by_worker, (uint64_t) event->pid,
                     (uint32_t) growths->requests.count - 1);
    return grown;
}

/* Its own place, an empty one, or that of the smallest. */
static struct growth *place_of(struct grown *grown, int64_t stack)
{
    struct growth *place = &grown->stacks[0];

    for (int i = 0; i < STACKS_PER_REQUEST; i++) {
        if (grown->stacks[i].stack == stack)
            return &grown->stacks[i];
        if (grown->stacks[i].bytes < place->bytes)
            place = &grown->stacks[i];
    }
    *place = (struct growth){.stack = stack};
    return place;
}

static int on_growth(void *ctx, const struct event *event)
{
    struct grown *grown;

    if (!event_has(event, EVENT_HAS_stk) || event->stk == 0 || event->size_bytes <= 0)
        return 0;
    grown = request_of(ctx, event);
    if (grown) {
        place_of(grown, event->stk)->bytes += event->size_bytes;
        grown->last_us = event->ts_us;
    }
    return 0;
}

static const struct growth *largest_of(const struct grown *grown)
{
    const struct growth *largest = &grown->stacks[0];

    for (int i = 1; i < STACKS_PER_REQUEST; i++)
        if (grown->stacks[i].bytes > largest->bytes)
            largest = &grown->stacks[i];
    return largest;
}

/* Requests that share their largest stack are a list. */
static int index_stacks(struct growths *growths)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < growths->requests.count; i++) {
        struct grown *grown = array_at(&growths->requests, i);
        const uint64_t stack = (uint64_t) largest_of(grown)->stack;

        (void) idmap_get(&growths->by_stack, stack, &grown->next);
        r = idmap_put(&growths->by_stack, stack, (uint32_t) i + 1);
    }
    return r;
}

static void tell_all(struct growths *growths, uint32_t at, const struct gateway_owner *owner)
{
    while (at > 0) {
        const struct grown *grown = array_at(&growths->requests, at - 1);
        struct gateway_owner told = *owner;

        told.pid = grown->pid;
        told.time_us = grown->last_us;
        gateway_note_owner(growths->gateway, &told);
        at = grown->next;
    }
}

/* The module that this stack is to be blamed on, to all requests that have it. */
static void tell_stack(struct growths *growths, const struct event *stack, uint32_t at)
{
    char shown[SHOWN_BYTES] = "";
    struct blame blame;

    if (!stack->php)
        return;
    blame_stack(growths->rules,
                &(struct blame_stack){.php = stack->php->items, .php_count = stack->php->count},
                BLAME_PEAK, &blame);
    if (blame.found != BLAME_THIRD_PARTY && blame.found != BLAME_PLATFORM &&
        blame.found != BLAME_APPLICATION)
        return;
    if (blame.frame >= 0)
        php_frame_text(stack->php->items[blame.frame], shown, sizeof shown);
    tell_all(growths, at,
             &(struct gateway_owner){.kind = GATEWAY_OWNER_MEMORY,
                                     .module = slice_of(blame.module.name),
                                     .frame = slice_of(shown)});
}

/* Each list once: at the request that heads it. */
static int tell_stacks(struct growths *growths, struct store *store)
{
    struct event stack;
    uint32_t head;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < growths->requests.count; i++) {
        const int64_t id = largest_of(array_at(&growths->requests, i))->stack;

        if (!idmap_get(&growths->by_stack, (uint64_t) id, &head) || head != i + 1)
            continue;
        r = store_stack(store, id, &stack);
        if (r == 0)
            tell_stack(growths, &stack, head);
        else if (r == -ENOENT)
            r = 0; /* older than what the store keeps */
    }
    return r;
}

int growth_owners_note(struct store *store, const struct store_query *query,
                       const struct module_rules *rules, struct gateway *gateway)
{
    struct store_query grown = *query;
    struct growths growths = {.rules = rules, .gateway = gateway};
    int r;

    grown.kinds = STORE_KIND(gro);
    array_init(&growths.requests, sizeof(struct grown), REQUESTS_MAX);
    idmap_init(&growths.by_worker, WORKERS_MAX);
    idmap_init(&growths.by_stack, REQUESTS_MAX);
    r = store_each_event(store, &grown, on_growth, &growths);
    if (r == 0)
        r = index_stacks(&growths);
    if (r == 0)
        r = tell_stacks(&growths, store);
    array_release(&growths.requests);
    idmap_release(&growths.by_worker);
    idmap_release(&growths.by_stack);
    return r;
}
