/*
 * gateway_fold.c - one request is one row: its lines at the front nginx (handler varnish) and at
 * the back nginx (handler phpfpm) are found and laid together.
 *
 * Two lines are hops of one request when everything that both say is equal, one lies inside the
 * other in time, and they come from different listeners.  A request id that both carry decides.
 * A format that does not name the listener (combined) needs help: as many requests are assumed as
 * nginx logged failures or PHP saw (gateway_fold_blind.c).
 */
#include <stdlib.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    SLACK_US = 60000,               /* between the two hops' stamps */
    ABANDONED_US = 120 * SECOND_US, /* a hop may go on for so long when nobody waits for it */
    GROUP_US = 3 * SECOND_US,       /* lines further apart are not compared without durations */
    MISMATCH_COST_US = 500000,      /* of a pair whose statuses do not go together */
};

static int compare_hops(const void *a, const void *b)
{
    const struct hop *x = a, *y = b;

    if (x->end_us != y->end_us)
        return x->end_us < y->end_us ? -1 : 1;
    if (x->ref.file != y->ref.file)
        return x->ref.file < y->ref.file ? -1 : 1;
    return x->ref.offset_bytes < y->ref.offset_bytes   ? -1
           : x->ref.offset_bytes > y->ref.offset_bytes ? 1
                                                       : 0;
}

/* Different listeners, as far as the lines say?  -1: they do not say. */
static int different_listener(const struct hop *outer, const struct hop *inner)
{
    if (outer->port && inner->port)
        return outer->port != inner->port;
    if (outer->handler && inner->handler)
        return outer->handler != inner->handler;
    return -1;
}

/* The outer hop did not wait for the inner one to end. */
static bool stopped_waiting(const struct hop *outer)
{
    return outer->status == 499 || outer->status == 504;
}

/* Outer begins first and ends last, within the precision of the stamps. */
static bool nested(const struct hop *outer, const struct hop *inner)
{
    int64_t slack_us = outer->precision_us + inner->precision_us + SLACK_US;

    if (stopped_waiting(outer) && outer->duration_us >= 0 && inner->duration_us >= 0) {
        int64_t inner_begin_us = inner->end_us - inner->duration_us;

        return inner_begin_us >= outer->end_us - outer->duration_us - slack_us &&
               inner_begin_us <= outer->end_us + slack_us &&
               inner->end_us >= outer->end_us - slack_us;
    }
    if (llabs(outer->end_us - inner->end_us) > slack_us && outer->end_us < inner->end_us)
        return false;
    if (outer->duration_us < 0 || inner->duration_us < 0)
        return llabs(outer->end_us - inner->end_us) <= slack_us + SECOND_US;
    return outer->end_us - outer->duration_us <= inner->end_us - inner->duration_us + slack_us &&
           inner->end_us <= outer->end_us + slack_us &&
           inner->end_us >= outer->end_us - outer->duration_us - slack_us;
}

/* How far apart two hops are; negative when they cannot be one request. */
static int64_t pair_cost_us(const struct gateway *gateway, const struct hop *outer,
                            const struct hop *inner)
{
    if (!hops_same_request(gateway, outer, inner) || !nested(outer, inner) || inner->proxied ||
        different_listener(outer, inner) == 0)
        return -1;
    if (outer->request_id && outer->request_id == inner->request_id)
        return 0;
    int64_t cost_us = llabs(outer->end_us - inner->end_us);

    if (stopped_waiting(outer) && outer->duration_us >= 0 && inner->duration_us >= 0)
        cost_us = llabs(outer->end_us - outer->duration_us - inner->end_us + inner->duration_us);
    else if (outer->duration_us >= 0 && inner->duration_us >= 0)
        cost_us += llabs(outer->duration_us - inner->duration_us);
    if (!hops_statuses_fit(outer, inner))
        cost_us += MISMATCH_COST_US;
    if (outer->request_id && inner->request_id)
        cost_us += 1; /* ids are made anew at each hop unless forwarded: no proof against */
    return cost_us + 1;
}

/* The best inner line so far. */
struct best_line {
    uint32_t hop; /* NONE: none yet */
    int64_t cost_us;
};

static void consider(const struct gateway *gateway, const struct hop *outer, size_t i,
                     struct best_line *best)
{
    const struct hop *inner = gateway_hop(gateway, i);
    int64_t cost_us = inner->request == NONE ? pair_cost_us(gateway, outer, inner) : -1;

    if (cost_us >= 0 && cost_us < best->cost_us)
        *best = (struct best_line){(uint32_t) i, cost_us};
}

/* The best inner line for the outer line `o`, not yet taken; NONE when there is none. */
static uint32_t find_inner(const struct gateway *gateway, size_t o)
{
    const struct hop *outer = gateway_hop(gateway, o);
    int64_t reach_us =
        GROUP_US + (outer->duration_us > 0 ? outer->duration_us : 0) + outer->precision_us;
    int64_t after_us = stopped_waiting(outer) ? ABANDONED_US : 2 * SECOND_US;
    struct best_line best = {NONE, INT64_MAX};

    /* Backwards first: the inner hop writes its line first. */
    for (size_t i = o; i-- > 0;) {
        if (gateway_hop(gateway, i)->end_us < outer->end_us - reach_us)
            break;
        consider(gateway, outer, i, &best);
    }
    for (size_t i = o + 1; i < gateway->hops.count; i++) {
        if (gateway_hop(gateway, i)->end_us > outer->end_us + after_us)
            break;
        consider(gateway, outer, i, &best);
    }
    return best.hop;
}

/* Lines of proxies first: they are certainly outer.  Then lines that name their port but not their
 * handler, latest first: the outer line is written last.  The rest stands alone. */
static void fold_outer(struct gateway *gateway, bool proxied)
{
    for (size_t i = gateway->hops.count; i-- > 0;) {
        const struct hop *hop = gateway_hop(gateway, i);

        if (hop->request != NONE || hop->proxied != proxied)
            continue;
        bool may_be_outer = hop->proxied || (!hop->handler && hop->port);

        hops_make_request(gateway, (uint32_t) i, may_be_outer ? find_inner(gateway, i) : NONE);
    }
}

static int compare_requests(const void *a, const void *b)
{
    const struct request *x = a, *y = b;

    return x->end_us < y->end_us ? -1 : x->end_us > y->end_us;
}

void fold_requests(struct gateway *gateway)
{
    array_sort(&gateway->hops, compare_hops);
    fold_blind_lines(gateway);
    fold_outer(gateway, true);
    fold_outer(gateway, false);
    array_sort(&gateway->requests, compare_requests);
    for (size_t i = 0; i < gateway->requests.count; i++) {
        const struct request *request = gateway_request(gateway, i);

        for (int k = 0; k < request->hop_count; k++)
            gateway_hop(gateway, request->hops[k])->request = (uint32_t) i;
    }
}
