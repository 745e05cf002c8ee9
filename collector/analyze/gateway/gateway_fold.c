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

static bool is_local(struct slice ip)
{
    return slice_starts(ip, SLICE("127.")) || slice_equal(ip, SLICE("::1")) ||
           slice_starts(ip, SLICE("10.")) || slice_starts(ip, SLICE("192.168.")) ||
           slice_starts(ip, SLICE("172.")) || slice_equal(ip, SLICE("unix:"));
}

/* Do both speak of the same request, apart from when? */
bool fold_same_request(const struct gateway *gateway, const struct hop *a, const struct hop *b)
{
    if (a->method != b->method || !gateway_same_uri(a->uri, a->uri_hash, b->uri, b->uri_hash) ||
        !gateway_same_or_unknown(a->host, b->host) || !gateway_same_or_unknown(a->agent, b->agent))
        return false;
    return gateway_same_or_unknown(a->ip, b->ip) || is_local(gateway_text(gateway, a->ip)) ||
           is_local(gateway_text(gateway, b->ip));
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

/* What a proxy makes of its backend's answer: the same, or its own failure. */
bool fold_statuses_fit(const struct hop *outer, const struct hop *inner)
{
    return outer->status == inner->status || outer->status >= 502 || inner->status == 499 ||
           (inner->status >= 500 && outer->status == 200);
}

/* How far apart two hops are; negative when they cannot be one request. */
static int64_t pair_cost_us(const struct gateway *gateway, const struct hop *outer,
                            const struct hop *inner)
{
    if (!fold_same_request(gateway, outer, inner) || !nested(outer, inner) || inner->proxied ||
        different_listener(outer, inner) == 0)
        return -1;
    if (outer->request_id && outer->request_id == inner->request_id)
        return 0;
    int64_t cost_us = llabs(outer->end_us - inner->end_us);

    if (stopped_waiting(outer) && outer->duration_us >= 0 && inner->duration_us >= 0)
        cost_us = llabs(outer->end_us - outer->duration_us - inner->end_us + inner->duration_us);
    else if (outer->duration_us >= 0 && inner->duration_us >= 0)
        cost_us += llabs(outer->duration_us - inner->duration_us);
    if (!fold_statuses_fit(outer, inner))
        cost_us += MISMATCH_COST_US;
    if (outer->request_id && inner->request_id)
        cost_us += 1; /* ids are made anew at each hop unless forwarded: no proof against */
    return cost_us + 1;
}

/* The best inner line for the outer line `o`, not yet taken; NONE when there is none. */
static uint32_t find_inner(const struct gateway *gateway, size_t o)
{
    const struct hop *outer = gateway_hop(gateway, o);
    int64_t reach_us =
        GROUP_US + (outer->duration_us > 0 ? outer->duration_us : 0) + outer->precision_us;
    int64_t after_us = stopped_waiting(outer) ? ABANDONED_US : 2 * SECOND_US;
    int64_t best_us = INT64_MAX;
    uint32_t best = NONE;

    /* Backwards first: the inner hop writes its line first. */
    for (size_t i = o; i-- > 0;) {
        const struct hop *inner = gateway_hop(gateway, i);

        if (inner->end_us < outer->end_us - reach_us)
            break;
        int64_t cost_us = inner->request == NONE ? pair_cost_us(gateway, outer, inner) : -1;

        if (cost_us >= 0 && cost_us < best_us) {
            best_us = cost_us;
            best = (uint32_t) i;
        }
    }
    for (size_t i = o + 1; i < gateway->hops.count; i++) {
        const struct hop *inner = gateway_hop(gateway, i);

        if (inner->end_us > outer->end_us + after_us)
            break;
        int64_t cost_us = inner->request == NONE ? pair_cost_us(gateway, outer, inner) : -1;

        if (cost_us >= 0 && cost_us < best_us) {
            best_us = cost_us;
            best = (uint32_t) i;
        }
    }
    return best;
}

/* What the outer line's header fields make of the whole request. */
static void request_describe(struct gateway *gateway, struct request *request)
{
    const struct hop *outer = request_hop(gateway, request, request->hop_count - 1);

    request->method = outer->method;
    request->uri = outer->uri;
    request->uri_hash = outer->uri_hash;
    request->host = outer->host;
    request->end_us = outer->end_us;
    request->precision_us = outer->precision_us;
    request->duration_us = outer->duration_us;
    request->begin_us = outer->end_us - (outer->duration_us > 0 ? outer->duration_us : 0);
    request->client_status = outer->status;
    for (int i = 0; i < request->hop_count; i++) {
        const struct hop *hop = request_hop(gateway, request, i);

        request->failed |= hop->status >= 500 || hop->status == 499;
    }
}

void fold_pair(struct gateway *gateway, uint32_t outer, uint32_t inner)
{
    struct request *request = array_add(&gateway->requests);

    if (!request)
        return;
    uint32_t id = (uint32_t) gateway->requests.count - 1;

    *request = (struct request){
        .served = NONE, .fetch = NONE, .php_end = NONE, .candidates = 1, .join = JOIN_EXACT};
    if (inner != NONE) {
        request->hops[request->hop_count++] = inner;
        gateway_hop(gateway, inner)->request = id;
    }
    request->hops[request->hop_count++] = outer;
    gateway_hop(gateway, outer)->request = id;
    request_describe(gateway, request);
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

        fold_pair(gateway, (uint32_t) i, may_be_outer ? find_inner(gateway, i) : NONE);
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
