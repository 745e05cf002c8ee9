/* summary_routes.c - one verdict for every route, with the stack and the module behind it. */
#include <stdlib.h>

#include "analyze/leak/known_cache.h"
#include "analyze/summary/summary_parts.h"

enum {
    HEAVY_FACTOR = 8,          /* times what an ordinary page takes (the leak method's `peak`) */
    HEAVY_MIN_KIB = 24 * 1024, /* below this nobody runs out of memory */
    HEAVY_MIN_HITS = 3,        /* a page that was heavy once is an accident */
};

/* Order of printing, worst first; unknown verdicts come last. */
static const char *const ranking[] = {"leak", "suspect", "peak", "shared_growth", "fragmentation"};
enum { RANKED = sizeof ranking / sizeof *ranking };

static size_t rank_of(struct slice verdict)
{
    size_t rank = 0;

    while (rank < RANKED && !slice_equal(verdict, slice_of(ranking[rank])))
        rank++;
    return rank;
}

static bool is_heavy(const struct route_row *row, double ordinary_kib)
{
    double typical_kib = histogram_quantile(&row->peak_kib, 0.5);

    return row->hits >= HEAVY_MIN_HITS && typical_kib >= HEAVY_MIN_KIB &&
           typical_kib >= HEAVY_FACTOR * ordinary_kib;
}

static const struct leak_route *find_leak(const struct leak_report *report, struct slice route)
{
    for (size_t i = 0; report && i < report->route_count; i++)
        if (slice_equal(report->routes[i].uri, route))
            return &report->routes[i];
    return NULL;
}

static void copy_row(struct summary *summary, const struct route_row *row,
                     const struct pool_workers *workers, struct summary_route *ret_route)
{
    const size_t pool = pool_traffic_main(&row->pools);

    *ret_route = (struct summary_route){
        .route = intern_text(&summary->texts, row->route),
        .verdict = SLICE("insufficient"),
        .hits = row->hits,
        .errors = row->errors,
        .workers = row->workers,
        .pool_hits = row->pools.requests[pool],
        .pool_requests = summary->traffic.requests[pool],
        .pool_workers = workers->count[pool],
        .pool_requests_per_hour = pool_load_per_hour(&summary->load, pool),
        .peak_bytes = (int64_t) row->peak_kib.max * 1024,
        .typical_peak_bytes = (int64_t) histogram_quantile(&row->peak_kib, 0.5) * 1024,
        .p95_peak_bytes = (int64_t) histogram_quantile(&row->peak_kib, 0.95) * 1024,
        .first_seen_us = row->first_seen_us,
        .last_seen_us = row->last_seen_us,
    };
}

static void copy_leak(struct summary *summary, const struct leak_route *leak,
                      struct summary_route *route)
{
    route->verdict = slice_of(leak_verdict_name(leak->verdict));
    route->confidence = leak->confidence;
    route->bytes_per_request = leak->bytes_per_request;
    route->judged_hits = leak->evidence.old_hits;
    route->leaking_hits = leak->evidence.growing_hits;
    route->reason = arena_copy(&summary->arena, slice_of(leak_verdict_meaning(leak->verdict)));
    if (leak->verdict == LEAK_VERDICT_bounded_cache && leak->evidence.because[0])
        route->reason = slice_of(leak->evidence.because);
    if (leak->verdict != LEAK_VERDICT_leak && leak->verdict != LEAK_VERDICT_suspect)
        return;
    route->began_us = leak->began_us;
    route->began_after = milestone_lately(summary->milestones.list.items,
                                          summary->milestones.list.count, leak->began_us);
}

/* The stack to show: the leak's own, else the one that survives or grows most on this route. */
static const struct stack_row *choose_stack(struct summary *summary, text_id route,
                                            const struct leak_route *leak, bool heavy)
{
    const struct stack_tally *tally;

    if (leak && leak->stack_count > 0 && !heavy)
        return stack_ledger_find(&summary->stacks, leak->stacks[0]);
    if (leak && !heavy)
        tally = stack_ledger_cause(&summary->stacks, route, leak->bytes_per_request);
    else
        tally = stack_ledger_top(&summary->stacks, route, heavy);
    return tally ? stack_ledger_find(&summary->stacks, tally->stack) : NULL;
}

static void blame(struct summary *summary, const struct stack_row *stack,
                  enum blame_question question, struct summary_route *route)
{
    struct stack_opinion opinion;

    if (!stack)
        return;
    opinion = summary_opinion(summary, stack, question);
    route->module = opinion.module;
    route->tier = opinion.tier;
    route->allocated_in = opinion.allocated_in;
    route->blamed_frame = opinion.blamed_frame;
    route->php_leaf = opinion.php_leaf;
    route->stack = opinion.frames;
}

/* A cache of PHP that is still filling is nobody's leak, however steadily it grows. */
static void excuse_known_cache(struct summary_route *route)
{
    const int cache = known_cache_of(route->stack.items, route->stack.count);
    const char *reason =
        known_cache_reason(cache, route->hits / (route->workers ? route->workers : 1));

    if (!reason)
        return;
    route->verdict = SLICE("bounded_cache");
    route->confidence = KNOWN_CACHE_CONFIDENCE;
    route->reason = slice_of(reason);
    route->module = route->tier = SLICE("");
}

/* Share of the growth of `route`'s requests that stacks of `module` took from the system. */
static double share_of_module(struct summary *summary, text_id route, struct slice module)
{
    uint64_t whole_bytes = 0, part_bytes = 0;

    for (size_t i = 0; i < summary->stacks.tallies.count; i++) {
        const struct stack_tally *tally = array_at(&summary->stacks.tallies, i);
        const struct stack_row *stack;

        if (tally->route != route || tally->grown_bytes == 0)
            continue;
        whole_bytes += tally->grown_bytes;
        stack = stack_ledger_find(&summary->stacks, tally->stack);
        if (stack && slice_equal(summary_opinion(summary, stack, BLAME_PEAK).module, module))
            part_bytes += tally->grown_bytes;
    }
    return whole_bytes > 0 ? (double) part_bytes / (double) whole_bytes : 0;
}

/* Armed requests know who holds the bytes; growth only who was there when more were needed. */
static void blame_peak(struct summary *summary, text_id name, struct summary_route *route)
{
    const struct summary_holder *most = route->holder_count > 0 ? route->holders : NULL;

    if (!most || most->bytes == 0) {
        blame(summary, choose_stack(summary, name, NULL, true), BLAME_PEAK, route);
        if (route->module.len_bytes > 0)
            route->module_peak_bytes = (int64_t) ((double) route->peak_bytes *
                                                  share_of_module(summary, name, route->module));
        return;
    }
    route->module = most->module;
    route->tier = most->tier;
    route->blamed_frame = most->frame;
    route->stack = most->stack;
    route->module_peak_bytes = (int64_t) ((double) route->peak_bytes * most->share);
}

/* What every row is judged by. */
struct grounds {
    const struct leak_report *report;
    double ordinary_kib; /* peak of an ordinary page */
    struct held_tallies held;
    struct pool_workers workers;
};

static void conclude(struct summary *summary, const struct route_row *row,
                     const struct grounds *grounds, struct summary_route *ret_route)
{
    const struct leak_route *leak =
        find_leak(grounds->report, intern_text(&summary->texts, row->route));
    bool claimed, heavy;

    copy_row(summary, row, &grounds->workers, ret_route);
    if (leak)
        copy_leak(summary, leak, ret_route);
    claimed = rank_of(ret_route->verdict) < rank_of(SLICE("peak"));
    heavy = !claimed && is_heavy(row, grounds->ordinary_kib);
    if (heavy)
        ret_route->verdict = SLICE("peak");
    else if (slice_equal(ret_route->verdict, SLICE("peak")))
        ret_route->verdict = SLICE("clean"); /* large for this route, but small for the host */
    summary_add_holders(summary, &grounds->held, row->route, ret_route);
    if (claimed)
        blame(summary, choose_stack(summary, row->route, leak, false), BLAME_RETAINED, ret_route);
    if (claimed)
        excuse_known_cache(ret_route);
    if (heavy)
        blame_peak(summary, row->route, ret_route);
}

static int compare_routes(const void *a, const void *b)
{
    const struct summary_route *x = a, *y = b;
    size_t rank_x = rank_of(x->verdict), rank_y = rank_of(y->verdict);
    double weight_x = x->bytes_per_request * (double) x->hits;
    double weight_y = y->bytes_per_request * (double) y->hits;

    if (rank_x != rank_y)
        return rank_x < rank_y ? -1 : 1;
    if (rank_x < 2 && weight_x != weight_y)
        return weight_x > weight_y ? -1 : 1;
    if (x->peak_bytes != y->peak_bytes)
        return x->peak_bytes > y->peak_bytes ? -1 : 1;
    return x->hits > y->hits ? -1 : x->hits < y->hits;
}

/* Rows of templates that were folded later on: their hits belong to what they are called now. */
static void settle_names(struct summary *summary)
{
    for (size_t i = 0; i < summary->routes.rows.count; i++) {
        struct route_row *row = array_at(&summary->routes.rows, i);

        route_ledger_merge(&summary->routes, row,
                           route_naming_settled(&summary->naming, row->route));
    }
}

void summary_conclude_routes(struct summary *summary)
{
    struct leak_report *report = leak_verdicts(summary->leaks);
    const struct leak_route *everywhere = find_leak(report, SLICE("*"));
    struct grounds grounds = {
        .report = report,
        .held = summary_held_tallies(summary),
        .workers = summary_pool_workers(summary),
    };
    size_t rows = summary->routes.rows.count, count = 0;
    settle_names(summary);
    grounds.ordinary_kib = route_ledger_ordinary_peak_kib(&summary->routes);
    struct summary_route *routes = arena_alloc(&summary->arena, (rows + 1) * sizeof *routes);

    for (size_t i = 0; routes && i < rows; i++) {
        const struct route_row *row = array_at(&summary->routes.rows, i);

        if (row->hits > 0)
            conclude(summary, row, &grounds, &routes[count++]);
    }
    if (count > 0)
        qsort(routes, count, sizeof *routes, compare_routes);
    if (everywhere)
        summary->result.worker_growth_bytes_per_request = (int64_t) everywhere->bytes_per_request;
    summary->result.routes = routes;
    summary->result.route_count = count;
    leak_report_free(report);
}
