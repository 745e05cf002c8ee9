/* leak_report.c - the state at this moment as a report: routes worst first, stacks that survive. */
#include <math.h>
#include <stdlib.h>

#include "analyze/leak.h"
#include "analyze/leak_label.h"
#include "analyze/leak_ledger.h"
#include "analyze/leak_sample.h"
#include "analyze/leak_tick.h"

static void fill_stacks(const struct leak_analyzer *analyzer, uint32_t ref,
                        struct leak_route *route)
{
    for (size_t i = 0; i < analyzer->pair_count; i++) {
        const struct leak_pair *pair = &analyzer->pairs[i];

        if (pair->ref == ref && pair->llr >= 3 && route->stack_count < LEAK_STACKS_MAX)
            route->stacks[route->stack_count++] = pair->stack;
    }
}

static void fill_route(struct leak_analyzer *analyzer, const struct leak_claims *claims,
                       size_t slot, struct leak_route *ret_route)
{
    const struct leak_route_state *state = &analyzer->routes[slot];
    const uint32_t ref = state->generation << LEAK_SLOT_BITS | (uint32_t) slot;
    const struct leak_claim *claim = leak_claims_find(claims, ref);

    *ret_route = (struct leak_route){
        .uri = {.ptr = state->uri, .len_bytes = state->uri_bytes},
        .verdict = leak_label(analyzer, state, claim),
        .flagged_at = state->flagged_at,
        .flagged_us = state->flagged_us,
        .first_seen_us = state->first_seen_us,
        .last_seen_us = state->last_seen_us,
        .hits = state->hits,
        .workers = state->lives,
        .bytes_per_request = claim ? claim->beta_bytes : 0,
    };
    ret_route->confidence = ret_route->verdict == LEAK_VERDICT_leak ? .97 : .02;
    if (claim) {
        ret_route->evidence.found_share = claim->theta;
        ret_route->evidence.found_error = claim->theta_error;
        ret_route->evidence.mmap = claim->channel == LEAK_MMAP;
        ret_route->evidence.sparse = claim->sparse;
    }
    if (ret_route->verdict == LEAK_VERDICT_leak)
        fill_stacks(analyzer, ref, ret_route);
}

static void fill_global(const struct leak_analyzer *analyzer, const struct leak_claims *claims,
                        struct leak_route *ret_route)
{
    *ret_route = (struct leak_route){
        .uri = SLICE("*"),
        .verdict = LEAK_VERDICT_leak,
        .confidence = .9,
        .flagged_at = analyzer->global_flagged_at,
        .flagged_us = analyzer->global_flagged_us,
        .hits = analyzer->coverage.requests,
        .bytes_per_request = claims->base_bytes[LEAK_HEAP] + claims->base_bytes[LEAK_MMAP],
    };
}

struct leak_report *leak_verdicts(struct leak_analyzer *analyzer)
{
    struct leak_report *report = calloc(1, sizeof *report);
    struct leak_claims claims;

    if (!report)
        return NULL;
    report->routes = calloc(analyzer->options.max_routes + 1, sizeof *report->routes);
    report->stacks = calloc(analyzer->options.max_pairs, sizeof *report->stacks);
    if (!report->routes || !report->stacks) {
        leak_report_free(report);
        return NULL;
    }
    leak_tick(analyzer, &claims);
    report->coverage = analyzer->coverage;
    if (leak_global_claimed(&claims))
        fill_global(analyzer, &claims, &report->routes[report->route_count++]);
    for (size_t slot = 0; slot < analyzer->options.max_routes; slot++)
        if (analyzer->routes[slot].used)
            fill_route(analyzer, &claims, slot, &report->routes[report->route_count++]);
    return report;
}

void leak_report_free(struct leak_report *report)
{
    if (!report)
        return;
    free(report->routes);
    free(report->stacks);
    free(report);
}
