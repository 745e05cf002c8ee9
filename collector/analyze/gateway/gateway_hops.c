/*
 * gateway_hops.c - may two access lines be hops of one request, apart from when; and the request
 * that they make.
 */
#include "analyze/gateway/gateway_parts.h"

static bool is_local(struct slice ip)
{
    return slice_starts(ip, SLICE("127.")) || slice_equal(ip, SLICE("::1")) ||
           slice_starts(ip, SLICE("10.")) || slice_starts(ip, SLICE("192.168.")) ||
           slice_starts(ip, SLICE("172.")) || slice_equal(ip, SLICE("unix:"));
}

bool hops_same_request(const struct gateway *gateway, const struct hop *a, const struct hop *b)
{
    if (a->method != b->method || !gateway_same_uri(a->uri, a->uri_hash, b->uri, b->uri_hash) ||
        !gateway_same_or_unknown(a->host, b->host) || !gateway_same_or_unknown(a->agent, b->agent))
        return false;
    return gateway_same_or_unknown(a->ip, b->ip) || is_local(gateway_text(gateway, a->ip)) ||
           is_local(gateway_text(gateway, b->ip));
}

bool hops_statuses_fit(const struct hop *outer, const struct hop *inner)
{
    return outer->status == inner->status || outer->status >= 502 || inner->status == 499 ||
           (inner->status >= 500 && outer->status == 200);
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

void hops_make_request(struct gateway *gateway, uint32_t outer, uint32_t inner)
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
