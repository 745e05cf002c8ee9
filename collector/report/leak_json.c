/* leak_json.c - keys of the verdict object; more may be added, none renamed. */
#include "report/leak_json.h"

#include <math.h>

#include "report/json_text.h"
#include "report/leak_text.h"

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t) value);
}

/* JSON has no infinity. */
static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *route_json(const struct leak_route *route)
{
    json_t *object = json_object(), *stacks = json_array();
    char text[LEAK_TEXT_BYTES];

    json_object_set_new(object, "uri", json_text(route->uri));
    json_object_set_new(object, "verdict", json_string(leak_verdict_name(route->verdict)));
    json_object_set_new(object, "confidence", real(route->confidence));
    json_object_set_new(object, "bytes_per_request", real(route->bytes_per_request));
    if (route->flagged_at >= 0) {
        json_object_set_new(object, "flagged_at", json_integer(route->flagged_at));
        json_object_set_new(object, "flagged_us", json_integer(route->flagged_us));
    }
    for (size_t i = 0; i < route->stack_count; i++)
        json_array_append_new(stacks, json_integer(route->stacks[i]));
    json_object_set_new(object, "stacks", stacks);
    json_object_set_new(object, "hits", integer(route->hits));
    json_object_set_new(object, "workers", integer(route->workers));
    json_object_set_new(object, "old_hits", integer(route->evidence.old_hits));
    json_object_set_new(object, "growing_hits", integer(route->evidence.growing_hits));
    json_object_set_new(object, "text", json_text(slice_of(leak_text(route, text))));
    return object;
}

static json_t *stack_json(const struct leak_stack *stack)
{
    return json_pack("{s:I, s:s, s:f, s:f}", "id", (json_int_t) stack->id, "verdict",
                     leak_verdict_name(stack->verdict), "confidence", stack->confidence, "bytes",
                     isfinite(stack->bytes) ? stack->bytes : 0.0);
}

/* What was not, or could not be, used. */
static json_t *coverage_json(const struct leak_coverage *coverage,
                             const struct event_read_stats *stats)
{
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {
        {"lines", stats->lines},
        {"damaged_lines", stats->damaged_lines},
        {"first_damaged_line", stats->first_damaged_line},
        {"long_lines", stats->long_lines},
        {"cut_short", stats->cut_short},
        {"requests", coverage->requests},
        {"requests_without_ledger", coverage->requests_without_ledger},
        {"absurd_requests", coverage->absurd_requests},
        {"late_requests", coverage->late_requests},
        {"missed_requests", coverage->missed_requests},
        {"warm_restarts", coverage->warm_restarts},
        {"evicted_routes", coverage->evicted_routes},
        {"evicted_workers", coverage->evicted_workers},
        {"evicted_stacks", coverage->evicted_pairs},
        {"refused_blocks", coverage->refused_blocks},
        {"orphan_samples", coverage->orphan_samples},
    };
    json_t *object = json_object();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_object_set_new(object, rows[i].key, integer(rows[i].value));
    return object;
}

json_t *leak_json(struct slice trace, const struct leak_report *report,
                  const struct event_read_stats *stats)
{
    json_t *root = json_object(), *routes = json_array(), *stacks = json_array();

    for (size_t i = 0; i < report->route_count; i++)
        json_array_append_new(routes, route_json(&report->routes[i]));
    for (size_t i = 0; i < report->stack_count; i++)
        json_array_append_new(stacks, stack_json(&report->stacks[i]));
    json_object_set_new(root, "trace", json_text(trace));
    json_object_set_new(root, "routes", routes);
    json_object_set_new(root, "stacks", stacks);
    json_object_set_new(root, "coverage", coverage_json(&report->coverage, stats));
    return root;
}
