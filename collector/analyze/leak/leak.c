/* leak.c - the analyzer's birth and death, and events to whom they concern. */
#include "analyze/leak/leak.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/leak/known_cache.h"
#include "analyze/leak/leak_route.h"
#include "analyze/leak/leak_sample.h"
#include "analyze/leak/leak_state.h"
#include "analyze/leak/leak_tick.h"
#include "analyze/leak/leak_visit.h"
#include "analyze/leak/leak_worker.h"

enum { CACHE_STACKS_MAX = 1024 };

static const struct leak_options defaults = {
    .max_routes = 256,
    .max_workers = 64,
    .max_blocks = 4096,
    .max_pairs = 2048,
    .interval_bytes = 65536,
};

static const struct {
    const char *name, *meaning;
} verdicts[LEAK_VERDICT_COUNT] = {
#define LEAK_VERDICT(name, meaning) {#name, meaning},
#include "analyze/leak/leak_verdicts.def"
};

const char *leak_verdict_name(enum leak_verdict verdict)
{
    return verdicts[verdict].name;
}

const char *leak_verdict_meaning(enum leak_verdict verdict)
{
    return verdicts[verdict].meaning;
}

/* 0 means the default, and more than the reference has bits for is less. */
static struct leak_options options_of(const struct leak_options *given)
{
    struct leak_options options = given ? *given : defaults;

    if (options.max_routes == 0)
        options.max_routes = defaults.max_routes;
    if (options.max_routes >= 1u << LEAK_SLOT_BITS)
        options.max_routes = (1u << LEAK_SLOT_BITS) - 1;
    if (options.max_workers == 0)
        options.max_workers = defaults.max_workers;
    if (options.max_workers > UINT16_MAX)
        options.max_workers = UINT16_MAX;
    if (options.max_blocks == 0)
        options.max_blocks = defaults.max_blocks;
    if (options.max_pairs == 0)
        options.max_pairs = defaults.max_pairs;
    if (options.interval_bytes <= 0)
        options.interval_bytes = defaults.interval_bytes;
    return options;
}

static int allocate(struct leak_analyzer *analyzer)
{
    const struct leak_options *options = &analyzer->options;

    analyzer->routes = calloc(options->max_routes, sizeof *analyzer->routes);
    analyzer->workers = calloc(options->max_workers, sizeof *analyzer->workers);
    analyzer->blocks = calloc(options->max_blocks, sizeof *analyzer->blocks);
    analyzer->pairs = calloc(options->max_pairs, sizeof *analyzer->pairs);
    for (int channel = 0; channel < LEAK_CHANNELS; channel++)
        analyzer->intervals[channel].items =
            calloc(LEAK_INTERVALS, sizeof *analyzer->intervals[channel].items);
    if (!analyzer->routes || !analyzer->workers || !analyzer->blocks || !analyzer->pairs ||
        !analyzer->intervals[LEAK_HEAP].items || !analyzer->intervals[LEAK_MMAP].items)
        return -1;
    idmap_init(&analyzer->route_map, options->max_routes);
    idmap_init(&analyzer->worker_map, options->max_workers);
    idmap_init(&analyzer->block_map, options->max_blocks);
    idmap_init(&analyzer->pair_map, options->max_pairs);
    idmap_init(&analyzer->cache_map, CACHE_STACKS_MAX);
    for (uint32_t i = 0; i < options->max_blocks; i++)
        analyzer->blocks[i].newer = i + 1 < options->max_blocks ? i + 1 : LEAK_NONE;
    return 0;
}

const struct leak_options leak_options_of_host = {.max_routes = 1024, .max_workers = 512};

struct leak_analyzer *leak_analyzer_new(const struct leak_options *options)
{
    struct leak_analyzer *analyzer = calloc(1, sizeof *analyzer);

    if (!analyzer)
        return NULL;
    analyzer->options = options_of(options);
    analyzer->scale = leak_scale_of((uint64_t) analyzer->options.max_requests);
    analyzer->life_known = analyzer->options.max_requests > 0;
    analyzer->next_tick = LEAK_TICK_REQUESTS;
    analyzer->global_flagged_at = -1;
    if (allocate(analyzer) < 0) {
        leak_analyzer_free(analyzer);
        return NULL;
    }
    return analyzer;
}

void leak_analyzer_free(struct leak_analyzer *analyzer)
{
    if (!analyzer)
        return;
    for (size_t i = 0; analyzer->routes && i < analyzer->options.max_routes; i++)
        free(analyzer->routes[i].used ? analyzer->routes[i].uri : NULL);
    for (size_t i = 0; analyzer->workers && i < analyzer->options.max_workers; i++)
        free(analyzer->workers[i].visits);
    idmap_release(&analyzer->route_map);
    idmap_release(&analyzer->worker_map);
    idmap_release(&analyzer->block_map);
    idmap_release(&analyzer->pair_map);
    idmap_release(&analyzer->cache_map);
    free(analyzer->intervals[LEAK_HEAP].items);
    free(analyzer->intervals[LEAK_MMAP].items);
    free(analyzer->routes);
    free(analyzer->workers);
    free(analyzer->blocks);
    free(analyzer->pairs);
    free(analyzer);
}

static size_t map_bytes(const struct idmap *map)
{
    return map->capacity * sizeof *map->slots;
}

size_t leak_analyzer_bytes(const struct leak_analyzer *analyzer)
{
    const struct leak_options *options = &analyzer->options;
    size_t bytes = sizeof *analyzer + options->max_routes * sizeof *analyzer->routes +
                   options->max_workers * sizeof *analyzer->workers +
                   options->max_blocks * sizeof *analyzer->blocks +
                   options->max_pairs * sizeof *analyzer->pairs +
                   2 * LEAK_INTERVALS * sizeof(struct leak_interval);

    bytes += map_bytes(&analyzer->route_map) + map_bytes(&analyzer->worker_map) +
             map_bytes(&analyzer->block_map) + map_bytes(&analyzer->pair_map) +
             map_bytes(&analyzer->cache_map);
    for (size_t i = 0; i < options->max_routes; i++)
        bytes += analyzer->routes[i].used ? analyzer->routes[i].uri_bytes + 1 : 0;
    for (size_t i = 0; i < options->max_workers; i++)
        bytes += leak_visits_bytes(&analyzer->workers[i]);
    return bytes;
}

/* --- events -------------------------------------------------------------------------------- */

static void on_header(struct leak_analyzer *analyzer, const struct event *event)
{
    if (event->interval_bytes > 0)
        analyzer->options.interval_bytes = event->interval_bytes;
    if (event_has(event, EVENT_HAS_max_requests) && event->max_requests >= 0) {
        analyzer->scale = leak_scale_of((uint64_t) event->max_requests);
        analyzer->life_known = event->max_requests > 0;
    }
}

static uint8_t size_class(int64_t kib)
{
    uint8_t class = 0;

    while (kib > 0 && class < LEAK_SIZE_CLASSES - 1) {
        kib >>= 1;
        class ++;
    }
    return class;
}

static void count_size(uint16_t *classes, int64_t kib)
{
    uint16_t *count = &classes[size_class(kib)];

    *count = (uint16_t) (*count + (*count < UINT16_MAX));
}

/* The tick belongs to the request before: all of its samples have been seen by now. */
static void tick_if_due(struct leak_analyzer *analyzer)
{
    struct leak_claims claims;
    const uint64_t requests = analyzer->coverage.requests;

    if (requests < analyzer->next_tick)
        return;
    leak_tick(analyzer, &claims);
    analyzer->next_tick +=
        LEAK_TICK_REQUESTS > requests / 100 ? LEAK_TICK_REQUESTS : requests / 100;
}

static void on_request(struct leak_analyzer *analyzer, const struct event *event)
{
    struct leak_route_state *route;
    uint32_t ref;

    tick_if_due(analyzer);
    analyzer->coverage.requests++;
    ref = leak_route_intern(analyzer, event->uri.len_bytes > 0 ? event->uri : SLICE("(unknown)"));
    if (ref == 0)
        return;
    route = leak_route_at(analyzer, ref);
    route->hits++;
    if (route->first_seen_us < 0)
        route->first_seen_us = event->ts_us;
    route->last_seen_us = event->ts_us;
    analyzer->last_ts_us = event->ts_us;
    count_size(route->zend_peaks, event->zend_peak_kib);
    count_size(route->volumes, event->allocated_kib);
    leak_worker_request(analyzer, event, ref);
}

static void on_stack(struct leak_analyzer *analyzer, const struct event *event)
{
    const struct event_list *native = event->nat;
    const int cache = native ? known_cache_of(native->items, native->count) : KNOWN_CACHE_NONE;

    if (cache != KNOWN_CACHE_NONE)
        idmap_put(&analyzer->cache_map, (uint64_t) event->id, (uint32_t) cache);
}

void leak_feed(struct leak_analyzer *analyzer, const struct event *event)
{
    switch ((int) event->kind) {
    case EVENT_hdr:
        on_header(analyzer, event);
        break;
    case EVENT_req:
        on_request(analyzer, event);
        break;
    case EVENT_stk:
        on_stack(analyzer, event);
        break;
    case EVENT_smp:
        leak_sample_born(analyzer, event);
        break;
    case EVENT_fre:
        leak_sample_freed(analyzer, event);
        break;
    case EVENT_start:
    case EVENT_end:
    case EVENT_exit:
        leak_worker_end(analyzer, event);
        break;
    default:
        break;
    }
}
