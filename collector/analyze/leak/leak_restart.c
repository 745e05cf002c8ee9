/* leak_restart.c - how many of the routes seen in a window grew, against how many usually do. */
#include "analyze/leak/leak_restart.h"

#include <math.h>
#include <string.h>

#include "analyze/leak/leak_floor.h"

enum { ROUTES_MIN = 5, WINDOWS_MIN = 4, QUIET_WINDOWS = 4 };
static const double share_min = .3, jump_min = 2.5, usual_weight = .2;
static const double usual_floor = .02, surprise_min = 7; /* ln 1000 */

static bool mark(uint64_t *set, uint32_t slot)
{
    const uint64_t bit = UINT64_C(1) << (slot & 63);
    const bool is_new = (set[slot >> 6] & bit) == 0;

    set[slot >> 6] |= bit;
    return is_new;
}

static void rejuvenate(struct leak_analyzer *analyzer)
{
    for (size_t i = 0; i < analyzer->options.max_workers; i++) {
        struct leak_worker *worker = &analyzer->workers[i];

        if (!worker->used)
            continue;
        worker->born_seq = worker->last_seq;
        worker->queued = 0;
        worker->chunk_epoch = 0; /* a gap across it would be too short */
        leak_floor_reset(worker);
        for (uint32_t v = 0; worker->visits && v < worker->visit_slots; v++)
            worker->visits[v] = (struct leak_visit){.ref = worker->visits[v].ref};
    }
    analyzer->coverage.warm_restarts++;
}

/* How much likelier the window's count is at its own share than at the usual one, as a logarithm:
 * three routes of six grow by chance now and then. */
static double surprise(const struct leak_restart *restart, double share)
{
    const double usual = fmax(restart->usual, usual_floor), seen = restart->seen;
    const double grown = restart->grown, rest = seen - grown;

    return grown * log(share / usual) + (rest > 0 ? rest * log((1 - share) / (1 - usual)) : 0);
}

static void close_window(struct leak_analyzer *analyzer)
{
    struct leak_restart *restart = &analyzer->restart;
    const double share = (double) restart->grown / restart->seen;
    const bool jump = restart->windows >= WINDOWS_MIN && restart->seen >= ROUTES_MIN &&
                      share >= share_min && share >= jump_min * restart->usual &&
                      surprise(restart, share) >= surprise_min;

    if (jump) {
        rejuvenate(analyzer);
        restart->windows = 0; /* and look for a while before the next one */
    } else {
        restart->usual +=
            (share - restart->usual) *
            (restart->windows < QUIET_WINDOWS ? 1.0 / (restart->windows + 1) : usual_weight);
        restart->windows++;
    }
    memset(restart->seen_set, 0, sizeof restart->seen_set);
    memset(restart->grown_set, 0, sizeof restart->grown_set);
    restart->requests = restart->seen = restart->grown = 0;
}

void leak_restart_note(struct leak_analyzer *analyzer, uint32_t ref, int64_t delta_bytes)
{
    struct leak_restart *restart = &analyzer->restart;

    restart->seen += mark(restart->seen_set, leak_ref_slot(ref));
    if (delta_bytes > 0)
        restart->grown += mark(restart->grown_set, leak_ref_slot(ref));
    if (++restart->requests == LEAK_RESTART_WINDOW)
        close_window(analyzer);
}
