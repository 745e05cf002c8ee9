/* prognosis.c - what a leak will do to a worker if nothing changes, and what caps it meanwhile. */
#include "report/prognosis.h"

enum {
    MAX_REQUESTS_MIN = 20,
    MAX_REQUESTS_MAX = 10000,
    HOURS_MAX = 100 * 365 * 24, /* nobody waits for more */
};

/* The largest of 1, 2, 5 times a power of ten that is not above `n`: 731 -> 500. */
static int64_t round_down(int64_t n)
{
    int64_t best = 1;

    for (int64_t power = 1; power <= n; power *= 10)
        for (int64_t step = 1; step <= 5; step = step == 2 ? 5 : step + 1)
            if (step * power <= n)
                best = step * power;
    return best;
}

/* Two digits: 2,087,323 -> 2,100,000; more of them would be made up. */
static int64_t two_digits(double n)
{
    int64_t unit = 1;

    while (n / (double) unit >= 99.5)
        unit *= 10;
    return (int64_t) (n / (double) unit + .5) * unit;
}

static int64_t clamp(int64_t n, int64_t lo, int64_t hi)
{
    return n < lo ? lo : n > hi ? hi : n;
}

/* Of what the route's workers serve: other pools have workers of their own. */
static double share_of(const struct summary_route *route, const struct summary_result *result)
{
    if (route->pool_requests > 0)
        return (double) route->pool_hits / (double) route->pool_requests;
    return result->requests > 0 ? (double) route->hits / (double) result->requests : 1;
}

struct prognosis prognosis_make(const struct summary_route *route,
                                const struct summary_result *result)
{
    struct prognosis prognosis = {0};
    double share = share_of(route, result);
    double growth_bytes = route->bytes_per_request * share;

    if (growth_bytes < 1e-3)
        return prognosis;
    prognosis.requests_to_ceiling = (int64_t) ((double) PROGNOSIS_CEILING_BYTES / growth_bytes);
    if (route->pool_requests_per_hour > 0 && route->pool_workers > 0) {
        const double worker_per_hour = route->pool_requests_per_hour / (double) route->pool_workers;
        const double hours = (double) prognosis.requests_to_ceiling / worker_per_hour;

        prognosis.us_to_ceiling = hours < HOURS_MAX ? (int64_t) (hours * 3.6e9) : 0;
        prognosis.pool_requests_per_hour = two_digits(route->pool_requests_per_hour);
        prognosis.pool_workers = (int64_t) route->pool_workers;
    }
    prognosis.max_requests =
        round_down(clamp((int64_t) ((double) PROGNOSIS_CAP_BYTES / growth_bytes), MAX_REQUESTS_MIN,
                         MAX_REQUESTS_MAX));
    prognosis.capped_bytes = (int64_t) ((double) prognosis.max_requests * growth_bytes);
    return prognosis;
}
