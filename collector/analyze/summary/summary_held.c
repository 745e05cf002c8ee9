/*
 * summary_held.c - who holds a route's memory at the peak, and who took it last, by module.
 *
 * Each armed request tells what its stacks held.  A module's share is taken over the sum of all
 * armed requests of the route, so that large ones weigh most; its bytes are that share of the
 * route's largest peak, which is exact and known of every request.
 *
 * Self: stacks that blame.h blames on the module.  Inclusive: stacks that pass through it anywhere.
 */
#include <stdlib.h>

#include "analyze/summary/summary_parts.h"

enum { MODULES_MAX = 256, GROWERS_MIN_BYTES = 4 << 20 };

/* A module that was met in the stacks of one route. */
struct held_module {
    char name[MODULE_NAME_BYTES];
    enum module_tier tier;
    uint64_t self_bytes, inclusive_bytes, top_bytes;
    const struct stack_row *top; /* the stack of it that holds most */
    uint64_t counted_for;        /* number of the last stack whose bytes are in `inclusive_bytes` */
};

struct held_modules {
    struct held_module items[MODULES_MAX];
    size_t count;
};

static int compare_tallies(const void *a, const void *b)
{
    const struct stack_tally *x = *(const struct stack_tally *const *) a;
    const struct stack_tally *y = *(const struct stack_tally *const *) b;

    if (x->route != y->route)
        return x->route < y->route ? -1 : 1;
    return x->held_bytes > y->held_bytes ? -1 : x->held_bytes < y->held_bytes;
}

struct held_tallies summary_held_tallies(struct summary *summary)
{
    const struct array *tallies = &summary->stacks.tallies;
    struct held_tallies held = {0};

    for (size_t i = 0; i < tallies->count; i++)
        held.count += ((const struct stack_tally *) array_at(tallies, i))->held_requests > 0;
    held.items = arena_alloc(&summary->arena, (held.count + 1) * sizeof(*held.items));
    held.count = 0;
    for (size_t i = 0; held.items && i < tallies->count; i++) {
        const struct stack_tally *tally = array_at(tallies, i);

        if (tally->held_requests > 0)
            held.items[held.count++] = tally;
    }
    if (held.count > 0)
        qsort(held.items, held.count, sizeof(*held.items), compare_tallies);
    return held;
}

static struct held_module *module_of(struct held_modules *modules, const struct module *module)
{
    for (size_t i = 0; i < modules->count; i++)
        if (strcmp(modules->items[i].name, module->name) == 0)
            return &modules->items[i];
    if (modules->count == MODULES_MAX)
        return NULL;
    struct held_module *held = &modules->items[modules->count++];

    *held = (struct held_module){.tier = module->tier};
    memcpy(held->name, module->name, sizeof held->name);
    return held;
}

static void add_self(struct summary *summary, struct held_modules *modules,
                     const struct stack_row *stack, uint64_t bytes)
{
    struct held_module *held;
    struct blame blame;

    summary_judge(summary, stack, BLAME_PEAK, &blame);
    if (blame.found == BLAME_NOBODY || !(held = module_of(modules, &blame.module)))
        return;
    held->self_bytes += bytes;
    if (blame.found == BLAME_APPLICATION) /* no frame of it is a module's */
        held->inclusive_bytes += bytes;
    if (bytes > held->top_bytes) {
        held->top_bytes = bytes;
        held->top = stack;
    }
}

/* Each module counts once per stack, however often it stands there. */
static void add_inclusive(struct summary *summary, struct held_modules *modules,
                          const struct stack_row *stack, uint64_t bytes, uint64_t number)
{
    for (uint16_t i = 0; i < stack->php_count; i++) {
        const struct php_frame frame = php_frame_parse(intern_text(&summary->texts, stack->php[i]));
        struct held_module *held;
        struct module module;

        module_of_frame(summary->options.rules, &frame, &module);
        if (module_tier_blame(module.tier) == MODULE_TRANSPARENT ||
            !(held = module_of(modules, &module)) || held->counted_for == number)
            continue;
        held->counted_for = number;
        held->inclusive_bytes += bytes;
    }
}

static int compare_modules(const void *a, const void *b)
{
    const struct held_module *x = a, *y = b;

    if (x->self_bytes != y->self_bytes)
        return x->self_bytes > y->self_bytes ? -1 : 1;
    return x->inclusive_bytes > y->inclusive_bytes ? -1 : x->inclusive_bytes < y->inclusive_bytes;
}

static void describe(struct summary *summary, const struct held_module *held, uint64_t whole_bytes,
                     int64_t peak_bytes, struct summary_holder *ret_holder)
{
    const double whole = whole_bytes > 0 ? (double) whole_bytes : 1;
    struct stack_opinion opinion = {0};

    if (held->top)
        opinion = summary_opinion(summary, held->top, BLAME_PEAK);
    *ret_holder = (struct summary_holder){
        .module = arena_copy(&summary->arena, slice_of(held->name)),
        .tier = slice_of(module_tier_text(held->tier)),
        .share = (double) held->self_bytes / whole,
        .bytes = (int64_t) ((double) held->self_bytes / whole * (double) peak_bytes),
        .inclusive_bytes = (int64_t) ((double) held->inclusive_bytes / whole * (double) peak_bytes),
        .frame = opinion.blamed_frame,
        .stack = opinion.frames,
    };
}

static size_t describe_all(struct summary *summary, struct held_modules *modules,
                           uint64_t whole_bytes, int64_t peak_bytes,
                           const struct summary_holder **ret_holders)
{
    const size_t count = modules->count < SUMMARY_HOLDERS ? modules->count : SUMMARY_HOLDERS;
    struct summary_holder *holders = arena_alloc(&summary->arena, (count + 1) * sizeof *holders);

    if (!holders)
        return 0;
    if (modules->count > 0)
        qsort(modules->items, modules->count, sizeof *modules->items, compare_modules);
    for (size_t i = 0; i < count; i++)
        describe(summary, &modules->items[i], whole_bytes, peak_bytes, &holders[i]);
    *ret_holders = holders;
    return count;
}

/* Bytes that one stack took or held. */
struct held_part {
    int64_t stack; /* 0: not known */
    uint64_t bytes;
};

/*
 * The modules behind `parts`, most first, at most SUMMARY_HOLDERS.  Shares are of all parts, bytes
 * are shares of `peak_bytes`.  Returns how many.
 */
static size_t holders_of(struct summary *summary, const struct held_part *parts, size_t count,
                         int64_t peak_bytes, const struct summary_holder **ret_holders)
{
    struct held_modules *modules = calloc(1, sizeof *modules);
    uint64_t whole_bytes = 0;
    size_t described;

    *ret_holders = NULL;
    if (!modules)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const struct stack_row *stack = stack_ledger_find(&summary->stacks, parts[i].stack);

        whole_bytes += parts[i].bytes;
        if (!stack || parts[i].bytes == 0)
            continue;
        add_self(summary, modules, stack, parts[i].bytes);
        add_inclusive(summary, modules, stack, parts[i].bytes, i + 1);
    }
    described = describe_all(summary, modules, whole_bytes, peak_bytes, ret_holders);
    free(modules);
    return described;
}

/* ---- routes ----------------------------------------------------------------------------------
 */

/* The first of `route`. */
static size_t find_route(const struct held_tallies *held, text_id route)
{
    size_t low = 0, high = held->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (held->items[middle]->route < route)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void summary_add_holders(struct summary *summary, const struct held_tallies *held, text_id route,
                         struct summary_route *ret_route)
{
    const size_t first = find_route(held, route);
    struct held_part *parts;
    size_t count = 0;

    while (first + count < held->count && held->items[first + count]->route == route)
        count++;
    parts = count > 0 ? malloc(count * sizeof *parts) : NULL;
    if (!parts)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct stack_tally *tally = held->items[first + i];

        parts[i] = (struct held_part){tally->stack, tally->held_bytes};
        if (tally->held_requests > ret_route->armed_requests)
            ret_route->armed_requests = tally->held_requests;
    }
    ret_route->holder_count =
        holders_of(summary, parts, count, ret_route->peak_bytes, &ret_route->holders);
    free(parts);
}

/* ---- requests --------------------------------------------------------------------------------
 */

struct summary_grown summary_growers_of(struct summary *summary, const struct growth_page *page)
{
    const uint64_t bytes = page ? growth_page_bytes(page) : 0;
    struct held_part parts[GROWTH_BOOK_STACKS];
    struct summary_grown grown = {0};

    if (bytes < GROWERS_MIN_BYTES || bytes > INT64_MAX)
        return grown;
    for (uint32_t i = 0; i < page->count; i++)
        parts[i] = (struct held_part){page->sums[i].stack, page->sums[i].bytes};
    grown.bytes = (int64_t) bytes;
    grown.grower_count = holders_of(summary, parts, page->count, grown.bytes, &grown.growers);
    return grown;
}
