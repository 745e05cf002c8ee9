/*
 * prognosis.h - what a leak will do to a worker if nothing changes, and what caps it meanwhile.
 *
 * A worker serves all routes, so a leak of B bytes per hit of a route with share S of the requests
 * makes every worker grow by B * S per request.
 */
#ifndef FPMSCOPE_REPORT_PROGNOSIS_H
#define FPMSCOPE_REPORT_PROGNOSIS_H

#include <stdint.h>

#include "analyze/summary/summary.h"

/* A worker this large is a problem on every host that we know of. */
#define PROGNOSIS_CEILING_BYTES (INT64_C(512) * 1024 * 1024)
/* Growth that nobody notices: what pm.max_requests should cap a leak at. */
#define PROGNOSIS_CAP_BYTES (INT64_C(32) * 1024 * 1024)

struct prognosis {
    int64_t requests_to_ceiling; /* that one worker serves until it has grown by the ceiling */
    int64_t us_to_ceiling;       /* at the pool's pace, pauses left out; 0: not known, or never */
    int64_t pool_requests_per_hour, pool_workers; /* what that time rests on; rounded */
    int64_t max_requests;                         /* for pm.max_requests; a round number */
    int64_t capped_bytes;                         /* growth of a worker with it */
};

/* Of one leaking route in the traffic of `result`; all zero when it keeps nothing. */
struct prognosis prognosis_make(const struct summary_route *route,
                                const struct summary_result *result);

#endif
