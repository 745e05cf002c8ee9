/* leak_belief.c - see leak_belief.h. */
#include "analyze/leak/leak_belief.h"

static const double share_min = .5;
static const double matched_max = .15, given_back_max = .3, uncovered_min = .5,
                    growth_share_min = .9;
static const double lone_share_min = .2, error_max = .6, balance_min = .3, balance_max = 1.7,
                    survivor_llr_min = 1.2;
enum { TESTED_HITS_MIN = 4 };
static const double untested_llr_min = 11, steady_matched_max = .2;
static const double lasting_mode_min = .9, lasting_uncovered_min = .8, lasting_matched_max = .02,
                    lasting_llr_min = 8;
static const double kept_growth_share_min = .96, kept_uncovered_min = .9, kept_matched_max = .05,
                    kept_released_max = .04;
static const double mixed_mode_min = .3, mixed_growth_share_min = .75, mixed_given_back_max = .1;
enum { OFTEN_MIN = 12 };
static const double often_released_max = .2;
enum { CLEANUPS_MIN = 4, COVERS_PER_CLEANUP = 8 };
enum { COVERS_MIN = 6, COVERS_PER_CHANCE = 20, CHANCE_CLEANUPS_MAX = 1 };
static const double uncollected_growth_share_min = .9, uncollected_given_back_max = .15,
                    uncollected_released_max = .1, uncollected_llr_min = 16;
static const double balance_llr_min = 100, balance_growth_share_min = .95;

/* The floors themselves show the growth, and show it well enough to tell one from none. */
static bool found_in_floor(const struct leak_claim *claim)
{
    return claim->theta - claim->theta_error >= lone_share_min && claim->theta_error <= error_max;
}

/* No release of a later request can have been of its memory. */
static bool unreleased(const struct leak_claim *claim)
{
    return claim->matched <= matched_max && claim->given_back <= given_back_max &&
           claim->uncovered >= uncovered_min;
}

/* All claims together explain the growth that there is, and this one is as sure as signs can be. */
static bool balanced(const struct leak_claim *claim)
{
    return claim->balance - 2 * claim->balance_error >= balance_min &&
           claim->balance <= balance_max && claim->theta + claim->theta_error >= share_min &&
           claim->strength >= balance_llr_min && claim->growth_share >= balance_growth_share_min &&
           unreleased(claim);
}

/* Always the same size, and not because each one replaces the last; or so often the same size that
 * other growth of the same requests must be what varies, and hardly anything of it came back. */
static bool steady_and_kept(const struct leak_claim *claim)
{
    if (claim->steady)
        return claim->matched <= steady_matched_max && claim->given_back <= given_back_max;
    return claim->mode_share >= mixed_mode_min && claim->growth_share >= mixed_growth_share_min &&
           claim->matched <= kept_matched_max && claim->given_back <= mixed_given_back_max;
}

/* Hardly any hit without growth, and in no life a release that covered it: what a clean-up or a
 * cache gives back goes in the requests of some route, a busy one's own among them.  One hit in
 * thirty may shrink (somebody's buffer); of routes that a clean-up serves it was one in twenty. */
static bool kept_for_life(const struct leak_claim *claim)
{
    return claim->growth_share >= kept_growth_share_min && claim->uncovered >= kept_uncovered_min &&
           claim->matched <= kept_matched_max && claim->released <= kept_released_max &&
           claim->strength >= untested_llr_min && claim->theta + claim->theta_error >= share_min;
}

/* Small growth of nearly every hit, when floors are too noisy to tell: a clean-up would have given
 * back just the sum of it, now and then at least; no release did. */
static bool uncollected(const struct leak_claim *claim)
{
    return claim->growth_share >= uncollected_growth_share_min && claim->covers >= COVERS_MIN &&
           claim->cleanups <= CHANCE_CLEANUPS_MAX &&
           claim->cleanups * COVERS_PER_CHANCE <= claim->covers &&
           claim->matched <= kept_matched_max && claim->given_back <= uncollected_given_back_max &&
           claim->released <= uncollected_released_max && claim->strength >= uncollected_llr_min &&
           claim->theta + claim->theta_error >= share_min &&
           claim->balance + claim->balance_error >= share_min;
}

/* So many releases were just what it and others had kept that a clean-up made them. */
static bool collected(const struct leak_claim *claim)
{
    return claim->cleanups >= CLEANUPS_MIN && claim->cleanups * COVERS_PER_CLEANUP >= claim->covers;
}

static enum leak_belief believe_dense(const struct leak_claim *claim, double base_bytes)
{
    const bool hardly_ever_not = claim->growth_share >= growth_share_min &&
                                 claim->matched <= matched_max &&
                                 claim->given_back <= given_back_max;

    if (steady_and_kept(claim))
        return LEAK_BELIEF_same_size;
    if (claim->survivor_llr >= survivor_llr_min)
        return LEAK_BELIEF_survivors;
    if (collected(claim))
        return LEAK_BELIEF_none;
    if (hardly_ever_not && found_in_floor(claim))
        return LEAK_BELIEF_floor;
    /* When all routes grow, growth of nearly every hit is not news about this one. */
    if (base_bytes <= 0 && kept_for_life(claim))
        return LEAK_BELIEF_kept;
    if (base_bytes <= 0 && uncollected(claim))
        return LEAK_BELIEF_uncollected;
    return hardly_ever_not && balanced(claim) ? LEAK_BELIEF_balance : LEAK_BELIEF_none;
}

/* So often the same size that the next release of that size would have been seen, were there any:
 * releases that are merely as large can be of anything. */
static bool often_the_same(const struct leak_claim *claim)
{
    return claim->strength >= OFTEN_MIN && claim->matched <= lasting_matched_max &&
           claim->given_back <= mixed_given_back_max && claim->released <= often_released_max;
}

static enum leak_belief believe_sparse(const struct leak_claim *claim)
{
    if (claim->on_errors && unreleased(claim))
        return LEAK_BELIEF_errors;
    if (claim->steady && (unreleased(claim) || often_the_same(claim)) &&
        claim->theta + claim->theta_error >= share_min)
        return LEAK_BELIEF_sparse_same_size;
    return claim->survivor_llr >= survivor_llr_min && unreleased(claim)
               ? LEAK_BELIEF_sparse_survivors
               : LEAK_BELIEF_none;
}

/* Nearly every hit leaves the same size to the byte, and in no life was there a release that can
 * have been of it.  A cache's would come back one by one, a clean-up's all at once: either is seen
 * in the releases themselves.  Floors are the weaker witness then; they also sink when others give
 * back what they took while they were young. */
static bool lasting(const struct leak_claim *claim)
{
    return claim->steady && claim->mode_share >= lasting_mode_min &&
           (claim->uncovered >= lasting_uncovered_min || claim->tested_hits < TESTED_HITS_MIN) &&
           claim->matched <= lasting_matched_max && claim->given_back <= given_back_max &&
           claim->strength >= lasting_llr_min && !claim->sparse;
}

static bool denied_by_floor(const struct leak_claim *claim)
{
    return claim->upper < share_min || claim->theta + 2 * claim->theta_error < share_min;
}

void leak_belief_decide(struct leak_claim *claim, double base_bytes)
{
    if (claim->confirmed) {
        claim->belief = LEAK_BELIEF_survivors;
    } else if (claim->chunks) {
        claim->outcome = LEAK_VERDICT_suspect;
        if (claim->theta + 2 * claim->theta_error >= share_min)
            claim->belief = LEAK_BELIEF_chunks;
    } else if (lasting(claim)) {
        claim->belief = LEAK_BELIEF_same_size;
    } else if (claim->tested_hits < TESTED_HITS_MIN) {
        claim->outcome = LEAK_VERDICT_insufficient;
        if (!claim->sparse && claim->strength >= untested_llr_min && steady_and_kept(claim))
            claim->belief = LEAK_BELIEF_same_size;
    } else if (denied_by_floor(claim)) {
        claim->outcome = LEAK_VERDICT_bounded_cache;
    } else {
        claim->outcome = LEAK_VERDICT_suspect;
        claim->belief = claim->sparse ? believe_sparse(claim) : believe_dense(claim, base_bytes);
    }
    if (claim->belief != LEAK_BELIEF_none)
        claim->outcome = LEAK_VERDICT_leak;
}
