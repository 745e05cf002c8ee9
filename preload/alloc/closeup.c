/* closeup.c - see closeup.h. */
#include "alloc/closeup.h"

#include "alloc/controller.h"
#include "base/ppm.h"
#include "banned.h"

void closeup_wish(struct closeup *closeup, uint64_t interval_bytes)
{
    closeup->wished_bytes = interval_bytes;
    closeup->interval_bytes = interval_bytes;
    closeup->is_on = false;
}

uint64_t closeup_begin(struct closeup *closeup, uint64_t usual_bytes)
{
    closeup->went_broke = false;
    closeup->is_on =
        closeup->wished_bytes > 0 && closeup->purse_ns > 0 && closeup->interval_bytes < usual_bytes;
    return closeup->is_on ? closeup->interval_bytes : usual_bytes;
}

bool closeup_spend(struct closeup *closeup, uint64_t spent_ns)
{
    if (!closeup->is_on)
        return false;
    closeup->purse_ns -=
        spent_ns < CLOSEUP_PURSE_MAX_NS ? (int64_t) spent_ns : CLOSEUP_PURSE_MAX_NS;
    if (closeup->purse_ns > 0)
        return true;
    closeup->is_on = false;
    closeup->went_broke = true;
    return false;
}

static void closeup_adapt(struct closeup *closeup)
{
    if (closeup->went_broke && closeup->interval_bytes < CONTROLLER_MAX_INTERVAL_BYTES)
        closeup->interval_bytes *= 2;
    else if (closeup->is_on && closeup->purse_ns > CLOSEUP_PURSE_MAX_NS / 2 &&
             closeup->interval_bytes / 2 >= closeup->wished_bytes)
        closeup->interval_bytes /= 2;
}

void closeup_end(struct closeup *closeup)
{
    closeup_adapt(closeup);
    closeup->is_on = closeup->went_broke = false;
}

void closeup_earn(struct closeup *closeup, uint64_t cpu_ns, uint64_t budget_ppm)
{
    const uint64_t earned_ns = ppm_of(cpu_ns, budget_ppm);

    closeup->purse_ns +=
        earned_ns < CLOSEUP_PURSE_MAX_NS ? (int64_t) earned_ns : CLOSEUP_PURSE_MAX_NS;
    if (closeup->purse_ns > CLOSEUP_PURSE_MAX_NS)
        closeup->purse_ns = CLOSEUP_PURSE_MAX_NS;
}
