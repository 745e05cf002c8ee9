/*
 * fuzz_route.c - any lines as URIs: routes are bounded, printable and without a query but for what
 * names the page; masked URIs show no other value; the route table keeps its ceilings and
 * gives a route the same name when it is asked again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "analyze/route/route_table.h"
#include "analyze/route/uri_dispatch.h"
#include "analyze/route/uri_mask.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(struct slice text)
{
    if (strlen(text.ptr) != text.len_bytes)
        __builtin_trap();
    while (text.len_bytes > 0) {
        const size_t n = utf8_printable(text);

        if (n == 0)
            __builtin_trap();
        text = slice_skip(text, n);
    }
}

static void check_route(const struct route *route)
{
    const struct slice text = route_slice(route);
    const ptrdiff_t query = slice_index(text, '?');

    check_printable(text);
    if (query >= 0 && !uri_dispatch_names_page(slice_head(text, (size_t) query),
                                               slice_skip(text, (size_t) query + 1)))
        __builtin_trap();
    if (text.len_bytes == 0 || text.len_bytes >= ROUTE_MAX_BYTES || slice_index(text, '#') >= 0 ||
        slice_find(text, SLICE("//")) >= 0)
        __builtin_trap();
}

/* Is a masked parameter's value hidden, or the name of a page? */
static bool is_hidden(struct slice path, struct slice parameter)
{
    const ptrdiff_t equals = slice_index(parameter, '=');

    return equals < 0 || slice_equal(slice_skip(parameter, (size_t) equals + 1), SLICE("*")) ||
           uri_dispatch_names_page(path, parameter);
}

/* Whatever stands behind a `=` of the query is `*`, or names the page, up to the next `&`. */
static void check_mask(struct slice uri)
{
    char buffer[4096];
    const struct slice masked = {
        .ptr = buffer, .len_bytes = uri_mask(uri, URI_HIDE_VALUES, buffer, sizeof buffer, NULL)};
    const ptrdiff_t mark = slice_index(masked, '?');
    struct slice query = slice_skip(masked, mark < 0 ? SIZE_MAX : (size_t) mark + 1);

    check_printable(masked);
    while (query.len_bytes > 0) {
        const ptrdiff_t amp = slice_index(query, '&');
        const struct slice parameter = slice_head(query, amp < 0 ? SIZE_MAX : (size_t) amp);

        /* the last one may be cut */
        if (amp >= 0 && !is_hidden(slice_head(masked, (size_t) mark), parameter))
            __builtin_trap();
        query = slice_skip(query, parameter.len_bytes + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct route_table_limits limits = {.max_routes = 8, .max_nodes = 24, .max_children = 4};
    struct route_table *table = route_table_new(&limits);
    struct slice text = {.ptr = (const char *) data, .len_bytes = size};

    while (table && text.len_bytes > 0) {
        const ptrdiff_t end = slice_index(text, '\n');
        const struct slice uri = slice_head(text, end < 0 ? SIZE_MAX : (size_t) end);
        struct route route, name;

        route_of_uri(uri, &route);
        check_route(&route);
        check_mask(uri);
        route_table_hit(table, &route, &name);
        check_printable(route_slice(&name));
        route_table_name(table, &route, &route);
        if (!slice_equal(route_slice(&name), SLICE("{other}")) &&
            !slice_equal(route_slice(&name), route_slice(&route)))
            __builtin_trap();
        if (route_table_stats(table).routes > 8 || route_table_stats(table).nodes > 24)
            __builtin_trap();
        text = slice_skip(text, uri.len_bytes + 1);
    }
    route_table_free(table);
    return 0;
}
