/* summary_json.c - the parts of `fpmscope summary --json`. */
#include "report/summary_json.h"

#include "report/crash_text.h"
#include "report/json_text.h"
#include "report/milestone_text.h"
#include "report/memory_text.h"
#include "report/route_text.h"

static json_t *integer(int64_t value)
{
    return json_integer((json_int_t) value);
}

static json_t *holders_json(const struct summary_holder *holders, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *row = json_object();

        json_object_set_new(row, "module", json_text(holders[i].module));
        json_object_set_new(row, "tier", json_text(holders[i].tier));
        json_object_set_new(row, "share", json_real(holders[i].share));
        json_object_set_new(row, "bytes", integer(holders[i].bytes));
        json_object_set_new(row, "inclusive_bytes", integer(holders[i].inclusive_bytes));
        json_object_set_new(row, "frame", json_text(holders[i].frame));
        json_object_set_new(row, "stack", json_frames(&holders[i].stack));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *route_json(const struct summary_route *route, const struct summary_result *result)
{
    char text[ROUTE_TEXT_BYTES], advice[ROUTE_TEXT_BYTES];
    json_t *row = json_object();

    json_object_set_new(row, "route", json_text(route->route));
    json_object_set_new(row, "verdict", json_text(route->verdict));
    json_object_set_new(row, "confidence", json_real(route->confidence));
    json_object_set_new(row, "hits", integer((int64_t) route->hits));
    json_object_set_new(row, "judged_hits", integer((int64_t) route->judged_hits));
    json_object_set_new(row, "leaking_hits", integer((int64_t) route->leaking_hits));
    json_object_set_new(row, "workers", integer((int64_t) route->workers));
    json_object_set_new(row, "errors", integer((int64_t) route->errors));
    json_object_set_new(row, "bytes_per_request", json_real(route->bytes_per_request));
    json_object_set_new(row, "peak_bytes", integer(route->peak_bytes));
    json_object_set_new(row, "typical_peak_bytes", integer(route->typical_peak_bytes));
    json_object_set_new(row, "p95_peak_bytes", integer(route->p95_peak_bytes));
    json_object_set_new(row, "armed_requests", integer((int64_t) route->armed_requests));
    json_object_set_new(row, "held_at_peak", holders_json(route->holders, route->holder_count));
    json_object_set_new(row, "module", json_text(route->module));
    json_object_set_new(row, "tier", json_text(route->tier));
    json_object_set_new(row, "allocated_in", json_text(route->allocated_in));
    json_object_set_new(row, "blamed_frame", json_text(route->blamed_frame));
    json_object_set_new(row, "stack", json_frames(&route->stack));
    json_object_set_new(row, "first_seen_us", integer(route->first_seen_us));
    json_object_set_new(row, "last_seen_us", integer(route->last_seen_us));
    json_object_set_new(row, "began_us", integer(route->began_us));
    json_object_set_new(row, "began_after", milestone_json(route->began_after));
    json_object_set_new(row, "text",
                        json_text(slice_of(route_sentence(route, result, text, sizeof text))));
    json_object_set_new(row, "advice",
                        json_text(slice_of(route_advice(route, result, advice, sizeof advice))));
    return row;
}

static json_t *texts_json(const struct slice *texts, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_text(texts[i]));
    return list;
}

static json_t *module_json(const struct summary_module *module)
{
    json_t *row = json_object();

    json_object_set_new(row, "module", json_text(module->module));
    json_object_set_new(row, "tier", json_text(module->tier));
    json_object_set_new(row, "bytes_per_request", json_real(module->bytes_per_request));
    json_object_set_new(row, "held_at_peak_bytes", integer(module->held_at_peak_bytes));
    json_object_set_new(row, "held_at_peak_inclusive_bytes",
                        integer(module->held_at_peak_inclusive_bytes));
    json_object_set_new(row, "crashes", integer((int64_t) module->crashes));
    json_object_set_new(row, "routes", texts_json(module->routes, module->route_count));
    json_object_set_new(row, "allocated_in",
                        texts_json(module->allocated_in, module->allocated_in_count));
    json_object_set_new(row, "first_seen_us", integer(module->first_seen_us));
    json_object_set_new(row, "last_seen_us", integer(module->last_seen_us));
    return row;
}

static json_t *crash_json(const struct summary_crash *crash)
{
    char text[CRASH_TEXT_BYTES];
    json_t *row = json_object();

    json_object_set_new(row, "time_us", integer(crash->time_us));
    json_object_set_new(row, "pid", integer(crash->pid));
    json_object_set_new(row, "pool", json_text(crash->pool));
    json_object_set_new(row, "method", json_text(crash->method));
    json_object_set_new(row, "uri", json_text(crash->uri));
    json_object_set_new(row, "host", json_text(crash->host));
    json_object_set_new(row, "route", json_text(crash->route));
    json_object_set_new(row, "request_id", json_text(crash->request_id));
    json_object_set_new(row, "signal", json_string(crash_signal_name(crash->signo)));
    json_object_set_new(row, "code", integer(crash->code));
    json_object_set_new(row, "killer", json_text(crash->killer));
    json_object_set_new(row, "stack_overflow", json_boolean(crash->stack_overflow));
    json_object_set_new(row, "in_request", json_boolean(crash->in_request));
    json_object_set_new(row, "response_sent", json_boolean(crash->response_sent));
    json_object_set_new(row, "faulting", json_text(crash->faulting));
    json_object_set_new(row, "culprit_library", json_text(crash->culprit_library));
    json_object_set_new(row, "module", json_text(crash->module));
    json_object_set_new(row, "tier", json_text(crash->tier));
    json_object_set_new(row, "blamed_frame", json_text(crash->blamed_frame));
    json_object_set_new(row, "php_stack", json_frames(&crash->php_stack));
    json_object_set_new(row, "native_stack", json_frames(&crash->native_stack));
    json_object_set_new(row, "grown_bytes", integer(crash->grown.bytes));
    json_object_set_new(row, "grown_by",
                        holders_json(crash->grown.growers, crash->grown.grower_count));
    json_object_set_new(row, "rss_kib", integer(crash->rss_kib));
    json_object_set_new(row, "zend_peak_bytes", integer(crash->zend_peak_bytes));
    json_object_set_new(row, "live_bytes", integer(crash->live_bytes));
    json_object_set_new(row, "age_us", integer(crash->age_us));
    json_object_set_new(row, "client_status", integer(crash->client_status));
    json_object_set_new(row, "text", json_text(slice_of(crash_sentence(crash, text, sizeof text))));
    json_object_set_new(row, "advice", json_text(slice_of(crash_advice(crash, text, sizeof text))));
    return row;
}

static json_t *worker_json(const struct summary_worker *worker)
{
    json_t *row = json_object();

    json_object_set_new(row, "pid", integer(worker->pid));
    json_object_set_new(row, "pool", json_text(worker->pool));
    json_object_set_new(row, "rss_kib", integer(worker->rss_kib));
    json_object_set_new(row, "requests", integer((int64_t) worker->requests));
    json_object_set_new(row, "age_us", integer(worker->age_us));
    json_object_set_new(row, "in_flight",
                        worker->in_flight.len_bytes ? json_text(worker->in_flight) : json_null());
    if (worker->has_parts) {
        json_object_set_new(row, "parts_us", integer(worker->parts_us));
        memory_json_parts(row, &worker->parts);
    }
    return row;
}

json_t *summary_json_period(const struct summary_result *result)
{
    json_t *period = json_object();

    json_object_set_new(period, "from_us", integer(result->from_us));
    json_object_set_new(period, "to_us", integer(result->to_us));
    return period;
}

json_t *summary_json_routes(const struct summary_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->route_count; i++)
        json_array_append_new(list, route_json(&result->routes[i], result));
    return list;
}

json_t *summary_json_modules(const struct summary_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->module_count; i++)
        json_array_append_new(list, module_json(&result->modules[i]));
    return list;
}

json_t *summary_json_crashes(const struct summary_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->crash_count; i++)
        json_array_append_new(list, crash_json(&result->crashes[i]));
    return list;
}

json_t *summary_json_workers(const struct summary_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->worker_count; i++)
        json_array_append_new(list, worker_json(&result->workers[i]));
    return list;
}

json_t *summary_json_memory(const struct summary_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->memory_count; i++)
        json_array_append_new(list, memory_json(&result->memory[i]));
    return list;
}
