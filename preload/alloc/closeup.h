/*
 * closeup.h - one route under a finer sampling interval, within a budget of its own.
 *
 *   closeup_wish(...)      the collector wants to know who allocates on one route
 *   closeup_begin(...)     a request of that route begins: the interval to use in it
 *   closeup_spend(...)     a sample was taken: is there budget left for this request?
 *   closeup_end(...)       any request is over
 *   closeup_earn(...)      now and then: CPU time that the worker spent earns budget
 *
 * The worker pays `budget_ppm` of its CPU time into a purse that holds 20 ms at most;
 * samples of the wished route are paid out of it.  An empty purse ends the close-up of that request
 * and doubles the interval of the next one, so that the first bytes of long requests are not all
 * that is ever seen; a full one halves it, down to what was wished.  The controller's own account
 * is not touched: the ordinary interval of the worker stays what it is.
 *
 * Pure: times are measured by the caller.  Main thread only.
 */
#ifndef FPMSCOPE_ALLOC_CLOSEUP_H
#define FPMSCOPE_ALLOC_CLOSEUP_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOSEUP_PURSE_MAX_NS = 20 * 1000 * 1000 };

struct closeup {
    uint64_t wished_bytes;   /* 0: nothing is wished */
    uint64_t interval_bytes; /* of the next request of the route */
    int64_t purse_ns;
    bool is_on, went_broke; /* in this request */
};

/* 0 ends it.  What is in the purse stays there. */
void closeup_wish(struct closeup *closeup, uint64_t interval_bytes);

/* The interval for a request of the wished route: `usual_bytes` when that is finer, or the purse is
 * empty. */
uint64_t closeup_begin(struct closeup *closeup, uint64_t usual_bytes);

/* Pay for a sample; false: the rest of the request goes on with the usual interval. */
bool closeup_spend(struct closeup *closeup, uint64_t spent_ns);

/* A request is over, of whatever route. */
void closeup_end(struct closeup *closeup);

/* The worker has used `cpu_ns` since the last call. */
void closeup_earn(struct closeup *closeup, uint64_t cpu_ns, uint64_t budget_ppm);

#endif
