/* summary_compare.c - match the routes of two periods, and say what changed. */
#include "analyze/summary/summary_compare.h"

enum { PEAK_MIN_BYTES = 8 << 20 }; /* a smaller difference fills no worker */

/* Typical peaks differ by so much before it is called a change. */
#define PEAK_FACTOR 1.5

static const struct {
    const char *name, *sentence;
} changes[] = {
#define COMPARE_CHANGE(name, sentence) {#name, sentence},
#include "analyze/summary/compare_changes.def"
};

const char *compare_change_name(enum compare_change change)
{
    return changes[change].name;
}

const char *compare_change_sentence(enum compare_change change)
{
    return changes[change].sentence;
}

static const struct summary_route *find_route(const struct summary_result *result,
                                              struct slice route)
{
    for (size_t i = 0; i < result->route_count; i++)
        if (slice_equal(result->routes[i].route, route))
            return &result->routes[i];
    return NULL;
}

static uint64_t count_crashes(const struct summary_result *result, struct slice route)
{
    uint64_t count = 0;

    for (size_t i = 0; i < result->crash_count; i++)
        count += slice_equal(result->crashes[i].route, route);
    return count;
}

static bool leaks(const struct summary_route *route)
{
    return route && slice_equal(route->verdict, SLICE("leak"));
}

/* Seen often enough to be sure that it does not leak. */
static bool is_no_leak(const struct summary_route *route)
{
    return route && !leaks(route) && !slice_equal(route->verdict, SLICE("suspect")) &&
           !slice_equal(route->verdict, SLICE("insufficient"));
}

static bool is_heavier(const struct summary_route *light, const struct summary_route *heavy)
{
    return light && heavy && light->typical_peak_bytes > 0 &&
           heavy->typical_peak_bytes - light->typical_peak_bytes >= PEAK_MIN_BYTES &&
           (double) heavy->typical_peak_bytes >= PEAK_FACTOR * (double) light->typical_peak_bytes;
}

static bool holds(enum compare_change change, const struct compare_row *row)
{
    switch (change) {
    case COMPARE_new_leak: /* also on a page that did not exist before */
        return leaks(row->after) && (!row->before || is_no_leak(row->before));
    case COMPARE_gone_leak:
        return leaks(row->before) && is_no_leak(row->after);
    case COMPARE_new_crashes:
        return row->crashes_before == 0 && row->crashes_after > 0;
    case COMPARE_gone_crashes: /* not one that nobody asked for since */
        return row->crashes_before > 0 && row->crashes_after == 0 && row->after;
    case COMPARE_more_peak:
        return is_heavier(row->before, row->after);
    case COMPARE_less_peak:
        return is_heavier(row->after, row->before);
    default:
        return false;
    }
}

static struct slice module_of(const struct compare_row *row)
{
    const struct summary_route *guilty =
        row->change == COMPARE_gone_leak ? row->before : row->after;

    return guilty ? guilty->module : SLICE("");
}

static struct compare_row row_of(const struct summary_result *before,
                                 const struct summary_result *after, struct slice route)
{
    return (struct compare_row){.route = route,
                                .before = find_route(before, route),
                                .after = find_route(after, route),
                                .crashes_before = count_crashes(before, route),
                                .crashes_after = count_crashes(after, route)};
}

/* The rows that are being written. */
struct compare_list {
    const struct summary_result *before, *after;
    struct compare_row *rows;
    size_t cap, count;
};

static void look_at(struct compare_list *list, enum compare_change change, struct slice route)
{
    struct compare_row row = row_of(list->before, list->after, route);

    if (route.len_bytes == 0 || !holds(change, &row))
        return;
    for (size_t i = 0; i < list->count && i < list->cap; i++)
        if (list->rows[i].change == change && slice_equal(list->rows[i].route, route))
            return;
    row.change = change;
    row.module = module_of(&row);
    if (list->count < list->cap)
        list->rows[list->count] = row;
    list->count++;
}

/* A page that only ever crashes has no finished request and no row among the routes. */
static void look_at_all(struct compare_list *list, enum compare_change change,
                        const struct summary_result *result)
{
    for (size_t i = 0; i < result->route_count; i++)
        look_at(list, change, result->routes[i].route);
    for (size_t i = 0; i < result->crash_count; i++)
        look_at(list, change, result->crashes[i].route);
}

size_t summary_compare(const struct summary_result *before, const struct summary_result *after,
                       struct compare_row *ret_rows, size_t cap)
{
    struct compare_list list = {.before = before, .after = after, .rows = ret_rows, .cap = cap};

    for (int change = 0; change < COMPARE_CHANGE_COUNT; change++) {
        look_at_all(&list, (enum compare_change) change, after);
        look_at_all(&list, (enum compare_change) change, before);
    }
    return list.count < cap ? list.count : cap;
}
