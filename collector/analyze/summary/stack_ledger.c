/* stack_ledger.c - what each stack is, and how much memory it holds for each route. */
#include "analyze/summary/stack_ledger.h"

#include <math.h>

enum {
    BLOCKS_PER_STACK = 16,
    DEFAULT_INTERVAL_BYTES = 128 * 1024,
    /* Survivors of a worker's first requests are its caches, not a leak (S0 of the leak method). */
    WARM_UP_REQUESTS = 16,
};

/* What a request keeps is an estimate itself. */
#define KEPT_TOLERANCE 1.1

/* A sampled block that lives: which tally it counts in, and for how many bytes. */
struct live_block {
    uint32_t tally;
    double bytes;
};

void stack_ledger_init(struct stack_ledger *ledger, struct intern *texts, size_t limit)
{
    array_init(&ledger->stacks, sizeof(struct stack_row), limit);
    array_init(&ledger->tallies, sizeof(struct stack_tally), limit * 2);
    array_init(&ledger->blocks, sizeof(struct live_block), limit * BLOCKS_PER_STACK);
    idmap_init(&ledger->by_id, limit);
    idmap_init(&ledger->by_pair, limit * 2);
    idmap_init(&ledger->by_block, limit * BLOCKS_PER_STACK);
    ledger->texts = texts;
    ledger->default_interval_bytes = DEFAULT_INTERVAL_BYTES;
}

void stack_ledger_release(struct stack_ledger *ledger)
{
    array_release(&ledger->stacks);
    array_release(&ledger->tallies);
    array_release(&ledger->blocks);
    idmap_release(&ledger->by_id);
    idmap_release(&ledger->by_pair);
    idmap_release(&ledger->by_block);
}

const struct stack_row *stack_ledger_find(const struct stack_ledger *ledger, int64_t id)
{
    uint32_t index;

    if (!idmap_get(&ledger->by_id, (uint64_t) id, &index))
        return NULL;
    return array_at(&ledger->stacks, index);
}

static uint16_t keep_frames(struct intern *texts, const struct event_list *list, text_id *ret_ids)
{
    uint16_t count = list ? list->count : 0;

    for (uint16_t i = 0; i < count; i++)
        ret_ids[i] = intern_put(texts, list->items[i]);
    return count;
}

static void on_stack(struct stack_ledger *ledger, const struct event *event)
{
    struct stack_row *row;

    if (stack_ledger_find(ledger, event->id) || !(row = array_add(&ledger->stacks)))
        return;
    if (idmap_put(&ledger->by_id, (uint64_t) event->id, (uint32_t) (ledger->stacks.count - 1)) <
        0) {
        ledger->stacks.count--;
        return;
    }
    row->id = event->id;
    row->shared_object = intern_put(ledger->texts, event->mod);
    row->php_count = keep_frames(ledger->texts, event->php, row->php);
    row->native_count = keep_frames(ledger->texts, event->nat, row->native);
}

/* Index of the tally of (route, stack), made when it is new; -1 without room. */
static int64_t tally_of(struct stack_ledger *ledger, text_id route, int64_t stack)
{
    uint64_t key = idmap_mix((uint64_t) stack) ^ route;
    struct stack_tally *tally;
    uint32_t index;

    if (idmap_get(&ledger->by_pair, key, &index))
        return index;
    tally = array_add(&ledger->tallies);
    if (!tally)
        return -1;
    index = (uint32_t) (ledger->tallies.count - 1);
    if (idmap_put(&ledger->by_pair, key, index) < 0) {
        ledger->tallies.count--;
        return -1;
    }
    tally->route = route;
    tally->stack = stack;
    return index;
}

static uint64_t block_key(const struct event *event)
{
    uint64_t worker = (uint64_t) event->pid << 40 ^ (uint64_t) event->start_ticks;

    return idmap_mix(idmap_mix(worker) + (uint64_t) event->id);
}

/* Bytes that a sample stands for: size / p, with the chance p that a block of its size is taken. */
static double weight_of(double size_bytes, double interval_bytes)
{
    return size_bytes > 0 ? size_bytes / -expm1(-size_bytes / interval_bytes) : 0;
}

static void note_size(struct stack_tally *tally, int64_t size_bytes)
{
    if (tally->smallest_bytes == 0 || size_bytes < tally->smallest_bytes)
        tally->smallest_bytes = size_bytes;
}

static void on_sample(struct stack_ledger *ledger, text_id route, const struct event *event)
{
    int64_t interval_bytes =
        event->interval_bytes > 0 ? event->interval_bytes : ledger->default_interval_bytes;
    int64_t index = tally_of(ledger, route, event->stk);
    struct stack_tally *tally;
    struct live_block *block;

    if (index < 0 || event->seq <= WARM_UP_REQUESTS || !(block = array_add(&ledger->blocks)))
        return;
    block->tally = (uint32_t) index;
    block->bytes = weight_of((double) event->size_bytes, (double) interval_bytes);
    idmap_put(&ledger->by_block, block_key(event), (uint32_t) (ledger->blocks.count - 1));
    tally = array_at(&ledger->tallies, block->tally);
    tally->surviving_bytes += block->bytes;
    tally->survivors++;
    note_size(tally, event->size_bytes);
}

static void on_freed(struct stack_ledger *ledger, const struct event *event)
{
    uint64_t key = block_key(event);
    struct stack_tally *tally;
    struct live_block *block;
    uint32_t index;

    if (!idmap_get(&ledger->by_block, key, &index))
        return;
    block = array_at(&ledger->blocks, index);
    tally = array_at(&ledger->tallies, block->tally);
    if (event->size_bytes > 0 && (double) event->size_bytes < block->bytes) {
        block->bytes -= (double) event->size_bytes; /* of a group of blocks, told as one */
        tally->surviving_bytes -= (double) event->size_bytes;
        note_size(tally, (int64_t) block->bytes);
        return;
    }
    tally->surviving_bytes -= block->bytes;
    if (tally->survivors > 0)
        tally->survivors--;
    idmap_remove(&ledger->by_block, key);
}

static void on_growth(struct stack_ledger *ledger, text_id route, const struct event *event)
{
    int64_t index = event->stk != 0 ? tally_of(ledger, route, event->stk) : -1;

    if (index >= 0 && event->size_bytes > 0) {
        struct stack_tally *tally = array_at(&ledger->tallies, (size_t) index);

        tally->grown_bytes += (uint64_t) event->size_bytes;
    }
}

static void on_hold(struct stack_ledger *ledger, text_id route, const struct event *event)
{
    int64_t index = tally_of(ledger, route, event->stk);

    if (index >= 0 && event->size_bytes >= 0) {
        struct stack_tally *tally = array_at(&ledger->tallies, (size_t) index);

        tally->held_bytes += (uint64_t) event->size_bytes;
        tally->held_requests++;
    }
}

void stack_ledger_feed(struct stack_ledger *ledger, text_id route, const struct event *event)
{
    if (event->kind == EVENT_hdr && event->interval_bytes > 0)
        ledger->default_interval_bytes = event->interval_bytes;
    else if (event->kind == EVENT_stk)
        on_stack(ledger, event);
    else if (event->kind == EVENT_smp)
        on_sample(ledger, route, event);
    else if (event->kind == EVENT_fre)
        on_freed(ledger, event);
    else if (event->kind == EVENT_gro)
        on_growth(ledger, route, event);
    else if (event->kind == EVENT_hold)
        on_hold(ledger, route, event);
}

static const struct stack_tally *top_of(const struct stack_ledger *ledger, text_id route,
                                        bool growth, double most_bytes)
{
    const struct stack_tally *best = NULL;
    double best_bytes = 0;

    for (size_t i = 0; i < ledger->tallies.count; i++) {
        const struct stack_tally *tally = array_at(&ledger->tallies, i);
        double bytes = growth ? (double) tally->grown_bytes : tally->surviving_bytes;

        if (tally->route == route && bytes > best_bytes &&
            (double) tally->smallest_bytes <= most_bytes) {
            best = tally;
            best_bytes = bytes;
        }
    }
    return best;
}

const struct stack_tally *stack_ledger_top(const struct stack_ledger *ledger, text_id route,
                                           bool growth)
{
    return top_of(ledger, route, growth, INFINITY);
}

const struct stack_tally *stack_ledger_cause(const struct stack_ledger *ledger, text_id route,
                                             double kept_bytes)
{
    return top_of(ledger, route, false, kept_bytes * KEPT_TOLERANCE);
}
