/*
 * leak_veto.c - channel by channel: what denies a claim at once, then the scales, then the verdict.
 */
#include "analyze/leak/leak_veto.h"

#include <math.h>

#include "analyze/leak/leak_balance.h"
#include "analyze/leak/leak_belief.h"

static const double sampled_share_min = .5, other_matched_max = .02;
static const double replaced_uncovered_min = .9, replaced_released_max = .01;
static const double decline_max = .4;
enum { RATE_HITS_MIN = 16, SAMPLES_MIN = 20 };

/* Sampled births minus deaths fall short of the claim: the blocks do not stay. */
static bool denied_by_samples(struct leak_analyzer *analyzer, const struct leak_claim *claim)
{
    const struct leak_route_state *route = leak_route_at(analyzer, claim->ref);
    const double slack = 3 * (double) analyzer->options.interval_bytes;
    const double claimed = claim->beta_bytes * route->ledgers[claim->channel].sum_n;

    /* A stream without samples says nothing: a throttled sampler must not deny what is exact. */
    return claim->channel == LEAK_HEAP && analyzer->samples >= SAMPLES_MIN &&
           route->net_bytes + 2 * sqrt(route->net_var) + slack < sampled_share_min * claimed;
}

/* What was sampled and not freed is as much as is claimed, or the ledger saw hardly any release:
 * blocks that died were replaced in the same request, as a table does that doubles. */
static bool deaths_are_replacements(struct leak_analyzer *analyzer, const struct leak_claim *claim)
{
    const struct leak_route_state *route = leak_route_of(analyzer, claim->ref);
    const double claimed = claim->beta_bytes * route->ledgers[claim->channel].sum_n;

    return route->net_bytes - 2 * sqrt(route->net_var) >= sampled_share_min * claimed ||
           (claim->uncovered >= replaced_uncovered_min &&
            claim->released <= replaced_released_max && claim->matched <= replaced_released_max);
}

/* The page caches as well: what it leaks is always of one size, and the pair's blocks of another.
 */
static bool is_something_else(const struct leak_pair *pair, const struct leak_claim *claim)
{
    return claim->steady && claim->matched <= other_matched_max && pair->usual_votes > 0 &&
           pair->usual_bytes != (uint32_t) claim->block_bytes;
}

/* Its blocks that seemed to stay were freed after all. */
static bool denied_by_deaths(struct leak_analyzer *analyzer, const struct leak_claim *claim)
{
    uint32_t births = 0, deaths = 0;

    for (size_t i = 0; i < analyzer->pair_count; i++) {
        const struct leak_pair *pair = &analyzer->pairs[i];

        if (pair->ref != claim->ref || is_something_else(pair, claim))
            continue;
        births += pair->births - pair->reallocs;
        deaths += pair->deaths;
    }
    return claim->channel == LEAK_HEAP && deaths >= 3 && deaths * 3 >= births &&
           !deaths_are_replacements(analyzer, claim);
}

/* A cache that fills slowly takes less and less; a leak does not. */
static bool denied_by_decline(struct leak_analyzer *analyzer, const struct leak_claim *claim)
{
    const struct leak_ledger *ledger =
        &leak_route_at(analyzer, claim->ref)->ledgers[claim->channel];

    return ledger->early_hits >= RATE_HITS_MIN && ledger->late_hits >= RATE_HITS_MIN &&
           (double) ledger->late_growths / ledger->late_hits <
               decline_max * ledger->early_growths / ledger->early_hits;
}

static bool is_denied(struct leak_analyzer *analyzer, struct leak_claim *claim)
{
    claim->declines = denied_by_decline(analyzer, claim);
    return !claim->confirmed && !claim->chunks &&
           (claim->declines || denied_by_samples(analyzer, claim) ||
            denied_by_deaths(analyzer, claim));
}

static void apply_channel(struct leak_analyzer *analyzer, struct leak_claims *claims,
                          enum leak_channel channel)
{
    struct leak_balance balance = {.analyzer = analyzer,
                                   .claims = claims,
                                   .channel = channel,
                                   .base = claims->base_bytes[channel]};

    for (size_t i = 0; i < claims->count; i++) {
        struct leak_claim *claim = &claims->items[i];

        if (claim->channel != channel)
            continue;
        if (is_denied(analyzer, claim))
            claim->outcome = LEAK_VERDICT_bounded_cache;
        else
            balance.column[balance.columns++] = claim;
    }
    leak_balance_weigh(&balance);
    for (size_t c = 0; c < balance.columns; c++)
        leak_belief_decide(balance.column[c], balance.base);
}

void leak_veto_apply(struct leak_analyzer *analyzer, struct leak_claims *claims)
{
    for (int channel = 0; channel < LEAK_CHANNELS; channel++)
        apply_channel(analyzer, claims, (enum leak_channel) channel);
}
