/*
 * leak_balance.h - the claims of one channel on the scales: the exact growth between floors against
 * what the claims say of it.
 *
 * One row for each recent interval, one column for each claim and one for growth that nobody
 * claims.  Confirmed claims are columns like the others, only their outcome is settled: what they
 * explain is not there for anybody else.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_BALANCE_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_BALANCE_H

#include "analyze/leak/leak_claim.h"

/* The caller fills it up to `column`, the rest begins as zero. */
struct leak_balance {
    struct leak_analyzer *analyzer;
    struct leak_claims *claims;
    enum leak_channel channel;
    double base; /* what a hit of any route seems to leave */
    size_t columns;
    struct leak_claim *column[LEAK_CLAIMS_MAX];
    double jitter, jitter_sq; /* mean and second moment of what an ordinary hit seems to leave */
    double lazy_sq;           /* second moments of all lazy hits, added up */
    double y[LEAK_INTERVALS];
    double predicted[LEAK_CLAIMS_MAX];
};

/* Fills tested_hits, balance, theta, their errors and upper of each column. */
void leak_balance_weigh(struct leak_balance *balance);

#endif
