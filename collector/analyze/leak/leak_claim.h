/*
 * leak_claim.h - what the ledgers claim at one moment, before and after the veto.
 *
 * A claim: this route keeps `beta_bytes` per hit.  leak_claims_collect() reads claims from the
 * ledgers; leak_veto_apply() (leak_veto.h) decides each of them.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_CLAIM_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_CLAIM_H

#include "analyze/leak/leak_state.h"

enum leak_belief {
#define LEAK_BELIEF(name, confidence, because) LEAK_BELIEF_##name,
#include "analyze/leak/leak_beliefs.def"
};

struct leak_claim {
    uint32_t ref; /* 0 = every route */
    enum leak_channel channel;
    bool sparse;     /* only some hits leak */
    bool on_errors;  /* only failed requests leak */
    bool steady;     /* always the same size, to the byte */
    bool chunks;     /* it fills an arena, and others pay as well */
    bool confirmed;  /* by survivors of one stack */
    bool declines;   /* late hits grow far more rarely than early ones */
    double strength; /* what sorts claims: LLR, or z of a sparse one */
    double beta_bytes, mode_share;
    double block_bytes;               /* what a hit that leaks leaves, to the byte; 0 = it varies */
    double uncovered, matched;        /* see leak_release.h */
    double released;                  /* by its own hits, share of what they grew */
    double given_back;                /* share of its growth that went within four requests */
    double growth_share;              /* of the deep hits: those that grew */
    uint32_t cleanups, covers;        /* see leak_cleanup.h and leak_release.h */
    double survivor_llr;              /* of the route's best stack */
    double theta, theta_error, upper; /* found share of the claim, its error, its upper bound */
    double balance, balance_error;    /* growth of the floors over all open claims together */
    uint32_t tested_hits;             /* mature hits in the intervals */
    enum leak_belief belief;          /* why the outcome is a leak */
    enum leak_verdict outcome;
};

struct leak_claims {
    double base_bytes[LEAK_CHANNELS]; /* what every route keeps per hit */
    size_t count;
    struct leak_claim items[LEAK_CLAIMS_MAX];
};

void leak_claims_collect(struct leak_analyzer *analyzer, struct leak_claims *ret_claims);

/* The claim about route `ref` that says most, or NULL. */
const struct leak_claim *leak_claims_find(const struct leak_claims *claims, uint32_t ref);

int leak_compare_double(const void *a, const void *b);

#endif
