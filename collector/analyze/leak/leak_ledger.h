/* leak_ledger.h - the exact ledger of one route: the sign test, and what its recent deltas say. */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_LEDGER_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_LEDGER_H

#include "analyze/leak/leak_state.h"

/* What a hit left; what a later request gave back is already taken off. */
struct leak_hit {
    uint32_t ordinal; /* which hit of the route in its worker it was */
    uint32_t age;     /* which request of the worker */
    int64_t ts_us, delta_bytes;
};

/* Enter a hit.  `sizes` may be NULL. */
void leak_ledger_enter(struct leak_ledger *ledger, const struct leak_scale *scale,
                       const struct leak_hit *hit, int32_t previous[2], int32_t *largest,
                       struct leak_sizes *sizes);

/* A worker's life is over, or the route left it: its largest delta is an event of the past. */
void leak_ledger_close_life(struct leak_ledger *ledger, int32_t largest);

/* What the last (up to LEAK_RING) deep deltas have in common, in bytes. */
struct leak_typical {
    double median, mode, mode_share, trimmed_mean;
};

struct leak_typical leak_ledger_typical(const struct leak_ledger *ledger);

/* How many of the last LEAK_SIZES growths had the most frequent size, to the byte; the largest of
 * each life is not among them, so that one large block per worker is not a habit. */
size_t leak_sizes_same(const struct leak_sizes *sizes, double *ret_bytes);

/* z of the mean deep delta, largest of each life left out; 0 with fewer than 24 hits. */
double leak_ledger_z(const struct leak_ledger *ledger);

/* `bytes` as an int32_t, clamped. */
int32_t leak_clamp32(int64_t bytes);

#endif
