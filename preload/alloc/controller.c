/* controller.c - see controller.h. */
#include "alloc/controller.h"

#include "base/ppm.h"
#include "banned.h"

static uint64_t controller_clamp(uint64_t interval_bytes)
{
    if (interval_bytes < CONTROLLER_MIN_INTERVAL_BYTES)
        return CONTROLLER_MIN_INTERVAL_BYTES;
    if (interval_bytes > CONTROLLER_MAX_INTERVAL_BYTES)
        return CONTROLLER_MAX_INTERVAL_BYTES;
    return interval_bytes;
}

uint64_t controller_adjust(uint64_t interval_bytes, uint64_t spent_ns, uint64_t cpu_ns,
                           uint64_t budget_ppm)
{
    const uint64_t allowed_ns = ppm_of(cpu_ns, budget_ppm);

    if (spent_ns > allowed_ns)
        return controller_clamp(interval_bytes * 2);
    if (spent_ns < allowed_ns / 4)
        return controller_clamp(interval_bytes / 2);
    return controller_clamp(interval_bytes);
}

uint64_t controller_owe(uint64_t debt_ns, uint64_t interval_bytes, uint64_t spent_ns,
                        uint64_t cpu_ns, uint64_t budget_ppm)
{
    const uint64_t allowed_ns = ppm_of(cpu_ns, budget_ppm);
    const uint64_t most_ns = CONTROLLER_DEBT_MAX * allowed_ns;
    const uint64_t owed_ns = debt_ns + spent_ns;

    if (interval_bytes < CONTROLLER_MAX_INTERVAL_BYTES || owed_ns <= allowed_ns)
        return 0;
    return owed_ns - allowed_ns < most_ns ? owed_ns - allowed_ns : most_ns;
}

uint64_t controller_brake(uint64_t interval_bytes, uint64_t spent_ns, uint64_t elapsed_ns,
                          uint64_t budget_ppm)
{
    if (spent_ns / 2 > ppm_of(elapsed_ns, budget_ppm))
        return controller_clamp(interval_bytes * 2);
    return interval_bytes;
}
