/* escalation.c - see escalation.h. */
#include "analyze/leak/escalation.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/leak/leak.h"
#include "analyze/route/route.h"
#include "analyze/route/route_table.h"
#include "base/idmap.h"

enum {
    DONE_MAX = 256,        /* routes that had their turn */
    PATHS_BEFORE_WISH = 4, /* hits of the route that show what its paths have in common */
    COMMON_MIN_BYTES = 2,  /* a common beginning of "/" would be every request */
    OLD_HITS_MIN = 4,      /* hits in old workers, before a suspicion is worth samples */
};

struct escalation {
    struct leak_analyzer *leaks;
    struct route_table *route_names;
    struct idmap done; /* hash of the route -> 1 */
    size_t done_count;
    uint64_t target; /* hash of the route, 0: none */
    uint64_t hits;   /* of the target, since it is one */
    size_t path_bytes;
    bool whole_path;
    char path[ESCALATION_PATH_BYTES];
};

struct escalation *escalation_new(void)
{
    const struct leak_options leak_options = {.max_workers = 256};
    struct escalation *escalation = calloc(1, sizeof *escalation);

    if (!escalation)
        return NULL;
    idmap_init(&escalation->done, DONE_MAX);
    escalation->leaks = leak_analyzer_new(&leak_options);
    escalation->route_names = route_table_new(&(struct route_table_limits){0});
    if (!escalation->leaks || !escalation->route_names) {
        escalation_free(escalation);
        return NULL;
    }
    return escalation;
}

void escalation_free(struct escalation *escalation)
{
    if (!escalation)
        return;
    leak_analyzer_free(escalation->leaks);
    route_table_free(escalation->route_names);
    idmap_release(&escalation->done);
    free(escalation);
}

static uint64_t hash_of(struct slice route)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < route.len_bytes; i++)
        hash = idmap_mix(hash ^ (uint8_t) route.ptr[i]);
    return hash ? hash : 1;
}

/* What stands before the query string, as far as it is compared. */
static struct slice path_of(struct slice uri)
{
    const ptrdiff_t mark = slice_index(uri, '?');
    const struct slice path = mark < 0 ? uri : slice_head(uri, (size_t) mark);

    return path.len_bytes > ESCALATION_PATH_BYTES ? slice_head(path, ESCALATION_PATH_BYTES) : path;
}

static void learn_path(struct escalation *escalation, struct slice uri)
{
    const struct slice path = path_of(uri);
    size_t common = 0;

    if (escalation->hits++ == 0) {
        memcpy(escalation->path, path.ptr, path.len_bytes);
        escalation->path_bytes = path.len_bytes;
        escalation->whole_path = path.len_bytes < ESCALATION_PATH_BYTES;
        return;
    }
    while (common < path.len_bytes && common < escalation->path_bytes &&
           path.ptr[common] == escalation->path[common])
        common++;
    if (common < path.len_bytes || common < escalation->path_bytes)
        escalation->whole_path = false;
    escalation->path_bytes = common;
}

void escalation_feed(struct escalation *escalation, const struct event *event)
{
    struct event templated = *event;
    struct route route;

    if (event->kind != EVENT_req || event->uri.len_bytes == 0) {
        if (event->kind != EVENT_req)
            leak_feed(escalation->leaks, event);
        return;
    }
    route_of_uri(event->uri, &route);
    route_table_hit(escalation->route_names, &route, &route);
    templated.uri = route_slice(&route);
    if (escalation->target != 0 && hash_of(templated.uri) == escalation->target)
        learn_path(escalation, event->uri);
    leak_feed(escalation->leaks, &templated);
}

static bool is_worth_it(const struct escalation *escalation, const struct leak_route *route)
{
    uint32_t one;

    return (route->verdict == LEAK_VERDICT_leak || route->verdict == LEAK_VERDICT_suspect) &&
           route->stack_count == 0 && !route->evidence.mmap &&
           !slice_equal(route->uri, SLICE("*")) && route->evidence.old_hits >= OLD_HITS_MIN &&
           !idmap_get(&escalation->done, hash_of(route->uri), &one);
}

/* The target's time is over: it was named, it is no suspect any more, or nothing came of it. */
static bool is_over(const struct escalation *escalation, const struct leak_report *report)
{
    for (size_t i = 0; i < report->route_count; i++)
        if (hash_of(report->routes[i].uri) == escalation->target)
            return !is_worth_it(escalation, &report->routes[i]) ||
                   escalation->hits >= ESCALATION_HITS_MAX;
    return true;
}

static void end_target(struct escalation *escalation)
{
    if (escalation->done_count < DONE_MAX &&
        idmap_put(&escalation->done, escalation->target, 1) == 0)
        escalation->done_count++;
    escalation->target = escalation->hits = 0;
}

/* Routes come worst first. */
static void find_target(struct escalation *escalation, const struct leak_report *report)
{
    if (escalation->done_count == DONE_MAX)
        return;
    for (size_t i = 0; i < report->route_count && escalation->target == 0; i++)
        if (is_worth_it(escalation, &report->routes[i]))
            escalation->target = hash_of(report->routes[i].uri);
}

struct escalation_wish escalation_choose(struct escalation *escalation)
{
    struct leak_report *report = leak_verdicts(escalation->leaks);

    if (report && escalation->target != 0 && is_over(escalation, report))
        end_target(escalation);
    if (report && escalation->target == 0)
        find_target(escalation, report);
    leak_report_free(report);
    if (escalation->target == 0 || escalation->hits < PATHS_BEFORE_WISH ||
        (!escalation->whole_path && escalation->path_bytes < COMMON_MIN_BYTES))
        return (struct escalation_wish){.path = SLICE("")};
    return (struct escalation_wish){
        .path = {.ptr = escalation->path, .len_bytes = escalation->path_bytes},
        .whole_path = escalation->whole_path};
}
