/* summary_modules.c - what each module keeps, holds and breaks, over all routes. */
#include <stdlib.h>

#include "analyze/summary/summary_parts.h"

enum {
    HOLDER_MIN_BYTES = 1 << 20, /* below that it is not worth a row of its own */
    HOLDERS_MAX = 256,          /* modules that only hold */
};

static struct summary_module *find_or_add(struct summary_module *modules, size_t *count,
                                          struct slice name, struct slice tier)
{
    for (size_t i = 0; i < *count; i++)
        if (slice_equal(modules[i].module, name))
            return &modules[i];
    modules[*count] = (struct summary_module){.module = name, .tier = tier};
    return &modules[(*count)++];
}

static void add_library(struct summary_module *module, struct slice library)
{
    for (size_t i = 0; i < module->allocated_in_count; i++)
        if (slice_equal(module->allocated_in[i], library))
            return;
    if (library.len_bytes > 0 && module->allocated_in_count < SUMMARY_MODULE_LIBRARIES)
        module->allocated_in[module->allocated_in_count++] = library;
}

static void see(struct summary_module *module, struct slice route, int64_t first_us,
                int64_t last_us)
{
    bool known = route.len_bytes == 0;

    for (size_t i = 0; i < module->route_count; i++)
        known |= slice_equal(module->routes[i], route);
    if (!known && module->route_count < SUMMARY_MODULE_ROUTES)
        module->routes[module->route_count++] = route;
    if (module->first_seen_us == 0 || first_us < module->first_seen_us)
        module->first_seen_us = first_us;
    if (last_us > module->last_seen_us)
        module->last_seen_us = last_us;
}

/* Worst first: keeps most, then holds most, then breaks most. */
static int compare_modules(const void *a, const void *b)
{
    const struct summary_module *x = a, *y = b;

    if (x->bytes_per_request != y->bytes_per_request)
        return x->bytes_per_request > y->bytes_per_request ? -1 : 1;
    if (x->held_at_peak_bytes != y->held_at_peak_bytes)
        return x->held_at_peak_bytes > y->held_at_peak_bytes ? -1 : 1;
    return x->crashes > y->crashes ? -1 : x->crashes < y->crashes;
}

/* A route's armed requests name every module that holds a part worth telling. */
static void add_holders(struct summary_module *modules, size_t *count, size_t limit,
                        const struct summary_route *route)
{
    for (size_t i = 0; i < route->holder_count; i++) {
        const struct summary_holder *holder = &route->holders[i];
        struct summary_module *module;

        if (holder->inclusive_bytes < HOLDER_MIN_BYTES && holder->bytes < HOLDER_MIN_BYTES)
            continue;
        if (*count == limit)
            return;
        module = find_or_add(modules, count, holder->module, holder->tier);
        see(module, route->route, route->first_seen_us, route->last_seen_us);
        if (holder->bytes > module->held_at_peak_bytes)
            module->held_at_peak_bytes = holder->bytes;
        if (holder->inclusive_bytes > module->held_at_peak_inclusive_bytes)
            module->held_at_peak_inclusive_bytes = holder->inclusive_bytes;
    }
}

static void add_route(struct summary_module *modules, size_t *count,
                      const struct summary_route *route)
{
    struct summary_module *module = find_or_add(modules, count, route->module, route->tier);

    see(module, route->route, route->first_seen_us, route->last_seen_us);
    if (slice_equal(route->verdict, SLICE("leak"))) {
        module->bytes_per_request += route->bytes_per_request;
        add_library(module, route->allocated_in);
    }
    if (route->holder_count == 0 && slice_equal(route->verdict, SLICE("peak")) &&
        route->peak_bytes > module->held_at_peak_inclusive_bytes)
        module->held_at_peak_inclusive_bytes = route->peak_bytes;
    if (route->module_peak_bytes > module->held_at_peak_bytes)
        module->held_at_peak_bytes = route->module_peak_bytes;
}

void summary_conclude_modules(struct summary *summary)
{
    struct summary_result *result = &summary->result;
    const size_t limit = 2 * result->route_count + result->crash_count + HOLDERS_MAX;
    struct summary_module *modules = arena_alloc(&summary->arena, limit * sizeof *modules);
    size_t count = 0;

    for (size_t i = 0; modules && i < result->route_count; i++)
        if (result->routes[i].module.len_bytes > 0)
            add_route(modules, &count, &result->routes[i]);
    for (size_t i = 0; modules && i < result->route_count; i++)
        add_holders(modules, &count, limit - result->crash_count, &result->routes[i]);
    for (size_t i = 0; modules && i < result->crash_count; i++) {
        const struct summary_crash *crash = &result->crashes[i];
        struct summary_module *module;

        if (crash->module.len_bytes == 0)
            continue;
        module = find_or_add(modules, &count, crash->module, crash->tier);
        module->crashes++;
        see(module, crash->route, crash->time_us, crash->time_us);
    }
    if (count > 0)
        qsort(modules, count, sizeof *modules, compare_modules);
    result->modules = modules;
    result->module_count = count;
}
