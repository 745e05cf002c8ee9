/* leak_report.c - the state at this moment as a report: routes worst first, stacks that survive. */
#include <math.h>
#include <stdlib.h>

#include "analyze/leak/known_cache.h"
#include "analyze/leak/leak.h"
#include "analyze/leak/leak_label.h"
#include "analyze/leak/leak_ledger.h"
#include "analyze/leak/leak_sample.h"
#include "analyze/leak/leak_tick.h"
#include "analyze/leak/leak_visit.h"

static const double stack_llr_min = 1.2, lone_life_factor = .95, unclaimed_confidence = .02,
                    suspect_confidence = .4, exact_score = 1e6;

static const struct {
    double confidence;
    const char *because;
} beliefs[] = {
#define LEAK_BELIEF(name, confidence, because) {confidence, because},
#include "analyze/leak/leak_beliefs.def"
};

/* --- routes -------------------------------------------------------------------------------- */

/* Every block of the stack is as large as what the route leaves: chance does not fit to the byte,
 * so that one sample is enough. */
static bool is_the_block(const struct leak_pair *pair, const struct leak_claim *claim)
{
    return claim && claim->channel == LEAK_HEAP && claim->block_bytes >= LEAK_BETA_MIN_BYTES &&
           pair->usual_votes > 0 && pair->usual_bytes == (uint32_t) claim->block_bytes;
}

/* How surely the route's memory is the stack's: 0 = not at all. */
static double stack_score(const struct leak_analyzer *analyzer, const struct leak_pair *pair,
                          const struct leak_claim *claim)
{
    if (!leak_pair_stays(pair) || leak_pair_is_shared(analyzer, pair))
        return 0;
    if (is_the_block(pair, claim))
        return exact_score + pair->usual_votes;
    return pair->llr >= stack_llr_min ? pair->llr : 0;
}

/* The most likely first; those that are less are pushed back, or out. */
static void insert_stack(struct leak_route *route, double scores[LEAK_STACKS_MAX], int64_t stack,
                         double score)
{
    size_t at = route->stack_count;

    while (at > 0 && scores[at - 1] < score) {
        if (at < LEAK_STACKS_MAX) {
            scores[at] = scores[at - 1];
            route->stacks[at] = route->stacks[at - 1];
        }
        at--;
    }
    if (at == LEAK_STACKS_MAX)
        return;
    scores[at] = score;
    route->stacks[at] = stack;
    route->stack_count += route->stack_count < LEAK_STACKS_MAX;
}

/* Stacks of the route whose survivors stay; next to one that fits to the byte, no others. */
static void fill_stacks(const struct leak_analyzer *analyzer, uint32_t ref,
                        const struct leak_claim *claim, struct leak_route *route)
{
    double scores[LEAK_STACKS_MAX] = {0};

    for (size_t i = 0; i < analyzer->pair_count; i++) {
        const struct leak_pair *pair = &analyzer->pairs[i];
        const double score = pair->ref == ref ? stack_score(analyzer, pair, claim) : 0;

        if (score > 0)
            insert_stack(route, scores, pair->stack, score);
    }
    while (scores[0] >= exact_score && scores[route->stack_count - 1] < exact_score)
        route->stack_count--;
}

/* Lives that served the route more than in passing: ended ones and the living. */
static uint64_t count_lives(const struct leak_analyzer *analyzer, uint32_t ref, uint64_t ended)
{
    for (size_t i = 0; i < analyzer->options.max_workers; i++) {
        const struct leak_visit *visit =
            analyzer->workers[i].used ? leak_visit_find(&analyzer->workers[i], ref) : NULL;

        ended += visit && visit->hits >= LEAK_ACQUAINTED_HITS;
    }
    return ended;
}

static struct leak_evidence evidence_of(const struct leak_route_state *state,
                                        const struct leak_claim *claim)
{
    const enum leak_channel channel = claim ? claim->channel : LEAK_HEAP;
    const struct leak_ledger *ledger = &state->ledgers[channel];
    const double kept = ledger->grown_bytes + ledger->given_back_bytes;

    return (struct leak_evidence){
        .old_hits = ledger->deep_hits,
        .growing_hits = ledger->deep_growths,
        .mean_bytes = ledger->sum_n > 0 ? ledger->sum / ledger->sum_n : 0,
        .found_share = claim && claim->tested_hits > 0 ? claim->theta : -1,
        .found_error = claim && claim->tested_hits > 0 ? claim->theta_error : 0,
        .returned_share = kept > 0 ? ledger->given_back_bytes / kept : 0,
        .peak_factor = leak_peak_factor(state),
        .mmap = channel == LEAK_MMAP,
        .sparse = claim && claim->sparse,
        .on_errors = claim && claim->on_errors,
        .because =
            claim && claim->outcome == LEAK_VERDICT_leak ? beliefs[claim->belief].because : "",
    };
}

/* Measured rates, a little less while a single worker life is all that speaks. */
static double confidence_of(const struct leak_route *route, const struct leak_claim *claim)
{
    if (!claim)
        return unclaimed_confidence;
    if (route->verdict != LEAK_VERDICT_leak)
        return route->verdict == LEAK_VERDICT_suspect ? suspect_confidence
                                                      : beliefs[LEAK_BELIEF_none].confidence;
    return beliefs[claim->belief].confidence * (route->workers < 2 ? lone_life_factor : 1);
}

/* Sparse leaks, and those that were there from the first old hit on, have no beginning of their
 * own.
 */
static int64_t began_us(const struct leak_route_state *state, const struct leak_claim *claim)
{
    const struct leak_ledger *ledger = claim ? &state->ledgers[claim->channel] : NULL;

    if (!ledger)
        return 0;
    return !claim->sparse && ledger->was_quiet && ledger->began_us > 0 ? ledger->began_us
                                                                       : state->first_seen_us;
}

/* A cache of PHP that is still filling is nobody's leak, however steadily it grows. */
static void excuse_known_cache(const struct leak_analyzer *analyzer, struct leak_route *route)
{
    const uint64_t lives = route->workers > 0 ? route->workers : 1;
    const char *reason = NULL;
    uint32_t cache;

    if (route->stack_count > 0 &&
        idmap_get(&analyzer->cache_map, (uint64_t) route->stacks[0], &cache))
        reason = known_cache_reason((int) cache, route->hits / lives);
    if (!reason)
        return;
    route->verdict = LEAK_VERDICT_bounded_cache;
    route->confidence = KNOWN_CACHE_CONFIDENCE;
    route->evidence.because = reason;
}

static void fill_route(struct leak_analyzer *analyzer, const struct leak_claims *claims,
                       size_t slot, struct leak_route *ret_route)
{
    const struct leak_route_state *state = &analyzer->routes[slot];
    const uint32_t ref = state->generation << LEAK_SLOT_BITS | (uint32_t) slot;
    const struct leak_claim *claim = leak_claims_find(claims, ref);

    *ret_route = (struct leak_route){
        .uri = {.ptr = state->uri, .len_bytes = state->uri_bytes},
        .verdict = leak_label(analyzer, ref, claim, claims->base_bytes[LEAK_HEAP]),
        .flagged_at = state->flagged_at,
        .flagged_us = state->flagged_us,
        .first_seen_us = state->first_seen_us,
        .last_seen_us = state->last_seen_us,
        .began_us = began_us(state, claim),
        .hits = state->hits,
        .workers = count_lives(analyzer, ref, state->lives),
        .bytes_per_request = claim ? claim->beta_bytes : 0,
        .evidence = evidence_of(state, claim),
    };
    ret_route->confidence = confidence_of(ret_route, claim);
    if (ret_route->verdict == LEAK_VERDICT_leak || ret_route->verdict == LEAK_VERDICT_suspect)
        fill_stacks(analyzer, ref, claim, ret_route);
    excuse_known_cache(analyzer, ret_route);
}

static void fill_global(const struct leak_analyzer *analyzer, const struct leak_claims *claims,
                        struct leak_route *ret_route)
{
    const double fragmentation = leak_fragmentation(analyzer);
    const bool leaks = leak_global_claimed(claims);

    *ret_route = (struct leak_route){
        .uri = SLICE("*"),
        .verdict = leaks ? LEAK_VERDICT_leak : LEAK_VERDICT_fragmentation,
        .confidence = leaks ? beliefs[LEAK_BELIEF_every_route].confidence : unclaimed_confidence,
        .flagged_at = analyzer->global_flagged_at,
        .flagged_us = analyzer->global_flagged_us,
        .last_seen_us = analyzer->last_ts_us,
        .hits = analyzer->coverage.requests,
        .workers = analyzer->next_life,
        .bytes_per_request = claims->base_bytes[LEAK_HEAP] + claims->base_bytes[LEAK_MMAP],
        .evidence = {.found_share = -1,
                     .rss_kib_per_100 = fragmentation,
                     .because = leaks ? beliefs[LEAK_BELIEF_every_route].because : ""},
    };
}

/* Leaks first, then suspects; more bytes before fewer, then more hits. */
static int compare_routes(const void *a, const void *b)
{
    const struct leak_route *x = a, *y = b;
    const bool x_quiet = x->verdict > LEAK_VERDICT_suspect,
               y_quiet = y->verdict > LEAK_VERDICT_suspect;
    const double x_bytes = x->bytes_per_request * (double) x->hits;
    const double y_bytes = y->bytes_per_request * (double) y->hits;

    if ((!x_quiet || !y_quiet) && x->verdict != y->verdict)
        return x->verdict < y->verdict ? -1 : 1;
    if (!x_quiet && x_bytes != y_bytes)
        return x_bytes > y_bytes ? -1 : 1;
    return (x->hits < y->hits) - (x->hits > y->hits);
}

/* --- stacks -------------------------------------------------------------------------------- */

/* All pairs of one stack together. */
static struct leak_stack sum_stack(const struct leak_analyzer *analyzer, int64_t id,
                                   double *ret_llr)
{
    struct leak_stack stack = {.id = id, .verdict = LEAK_VERDICT_shared_growth};

    *ret_llr = 0;
    for (size_t i = 0; i < analyzer->pair_count; i++) {
        const struct leak_pair *pair = &analyzer->pairs[i];

        if (pair->stack != id)
            continue;
        stack.bytes += pair->net_bytes;
        *ret_llr += pair->births > 0 && leak_pair_stays(pair) ? pair->llr : fmin(0, pair->llr);
    }
    return stack;
}

static bool is_known(const struct leak_report *report, int64_t id)
{
    for (size_t i = 0; i < report->stack_count; i++)
        if (report->stacks[i].id == id)
            return true;
    return false;
}

/* The stacks that leaking routes name. */
static void add_named_stacks(const struct leak_analyzer *analyzer, struct leak_report *report)
{
    for (size_t r = 0; r < report->route_count; r++) {
        const struct leak_route *route = &report->routes[r];

        for (size_t i = 0; route->verdict == LEAK_VERDICT_leak && i < route->stack_count; i++) {
            double llr;

            if (is_known(report, route->stacks[i]))
                continue;
            report->stacks[report->stack_count] = sum_stack(analyzer, route->stacks[i], &llr);
            report->stacks[report->stack_count].verdict = LEAK_VERDICT_leak;
            report->stacks[report->stack_count++].confidence = route->confidence;
        }
    }
}

/* Stacks that survive in the hands of many: of the agent that leaks everywhere, or of nobody. */
static void add_shared_stacks(const struct leak_analyzer *analyzer, bool global,
                              struct leak_report *report)
{
    for (size_t i = 0; i < analyzer->pair_count; i++) {
        const struct leak_pair *pair = &analyzer->pairs[i];
        struct leak_stack stack;
        double llr;

        if (pair->llr <= 0 || is_known(report, pair->stack) || !leak_pair_is_shared(analyzer, pair))
            continue;
        stack = sum_stack(analyzer, pair->stack, &llr);
        if (llr < LEAK_LLR_CLAIM)
            continue;
        if (global) {
            stack.verdict = LEAK_VERDICT_leak;
            stack.confidence = beliefs[LEAK_BELIEF_every_route].confidence;
        }
        report->stacks[report->stack_count++] = stack;
    }
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
    if (leak_global_claimed(&claims) || leak_fragmentation(analyzer) > 0)
        fill_global(analyzer, &claims, &report->routes[report->route_count++]);
    for (size_t slot = 0; slot < analyzer->options.max_routes; slot++)
        if (analyzer->routes[slot].used)
            fill_route(analyzer, &claims, slot, &report->routes[report->route_count++]);
    qsort(report->routes, report->route_count, sizeof *report->routes, compare_routes);
    add_named_stacks(analyzer, report);
    add_shared_stacks(analyzer, leak_global_claimed(&claims), report);
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
