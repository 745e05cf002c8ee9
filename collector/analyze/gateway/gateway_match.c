/*
 * gateway_match.c - can this dead worker's request (or one that PHP finished) be the request of
 * these access lines?
 *
 * What both sides say must be equal: method, URI, host, client, port, agent.  Then the times must
 * be possible: nginx has the request before PHP, and logs it after PHP is gone.  What the request
 * spent outside of PHP is measured along: 1 to 36 ms on a healthy host (149 deaths: the line comes
 * 0.5 to 31 ms after the crash, request_time exceeds the time in PHP by 0.8 to 36 ms), seconds on
 * one that is on its knees.
 */
#include <stdlib.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    EARLY_US = 60000,         /* stamps of two processes may be out of order by this */
    LATE_US = 5 * SECOND_US,  /* the line follows the death within this */
    CORE_US = 60 * SECOND_US, /* ... on a host that writes a core first */
    TOGETHER_US = 500000,     /* nginx's begin and PHP's, of a request that need not wait */
    AGENT_BYTES = 256,        /* the shim cuts texts here */
};

/* Is `masked` (values of its query replaced by '*') what became of `uri`? */
static bool masked_equal(struct slice masked, struct slice uri)
{
    size_t m = 0, u = 0;

    while (m < masked.len_bytes && u < uri.len_bytes) {
        if (masked.ptr[m] == '*' && m > 0 && masked.ptr[m - 1] == '=') {
            while (u < uri.len_bytes && uri.ptr[u] != '&' && uri.ptr[u] != '#')
                u++;
            m++;
        } else if (masked.ptr[m++] != uri.ptr[u++]) {
            return false;
        }
    }
    /* An empty value is masked too. */
    if (m + 1 == masked.len_bytes && masked.ptr[m] == '*' && m > 0 && masked.ptr[m - 1] == '=')
        m++;
    return m == masked.len_bytes && u == uri.len_bytes;
}

static bool same_uri(const struct gateway *gateway, const struct served *served,
                     const struct request *request)
{
    if (served->uri == request->uri && !served->uri_masked)
        return true;
    /* Masked, or cut: the whole URIs' hashes know better. */
    if (served->uri_hash && request->uri_hash)
        return served->uri_hash == request->uri_hash;
    return served->uri == request->uri ||
           (served->uri_masked &&
            masked_equal(gateway_text(gateway, served->uri), gateway_text(gateway, request->uri)));
}

static bool same_agent(const struct gateway *gateway, text_id a, text_id b)
{
    return gateway_same_or_unknown(a, b) ||
           slice_equal(slice_head(gateway_text(gateway, a), AGENT_BYTES),
                       slice_head(gateway_text(gateway, b), AGENT_BYTES));
}

/* Every fact but the time and the ids.  One hop must have it all: the one that talked to PHP. */
static bool same_facts(const struct gateway *gateway, const struct served *served,
                       const struct request *request)
{
    if (served->method != request->method || !same_uri(gateway, served, request) ||
        !gateway_same_or_unknown(served->host, request->host))
        return false;
    for (int k = 0; k < request->hop_count; k++) {
        const struct hop *hop = request_hop(gateway, request, k);

        if (!hop->proxied && gateway_same_or_unknown(served->ip, hop->ip) &&
            gateway_same_or_unknown(served->port, hop->port) &&
            same_agent(gateway, served->agent, hop->agent))
            return true;
    }
    /* Only the front line is there: its port is another, its client may be. */
    return request_hop(gateway, request, request->hop_count - 1)->proxied &&
           request->hop_count == 1 &&
           same_agent(gateway, served->agent, request_hop(gateway, request, 0)->agent);
}

enum id_verdict { IDS_UNKNOWN, IDS_DIFFER, IDS_EQUAL };

static enum id_verdict compare_ids(const struct gateway *gateway, const struct served *served,
                                   const struct request *request)
{
    enum id_verdict verdict = IDS_UNKNOWN;

    if (!served->request_id && !served->x_request_id)
        return IDS_UNKNOWN;
    for (int k = 0; k < request->hop_count; k++) {
        text_id id = request_hop(gateway, request, k)->request_id;

        if (id && (id == served->request_id || id == served->x_request_id))
            return IDS_EQUAL;
        if (id && served->request_id && !request_hop(gateway, request, k)->proxied)
            verdict = IDS_DIFFER;
    }
    return verdict;
}

/* When PHP was at it. */
struct stay {
    int64_t begin_us;
    int64_t earliest_end_us; /* it was still there then */
    int64_t end_us;          /* it was gone by then */
    int64_t late_us;         /* the line may come so much later */
};

static int64_t max_us(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Is it possible?  `ret_excess_us`: the time that the request spent outside of PHP, at least. */
static bool times_fit(const struct gateway *gateway, const struct request *request,
                      const struct stay *stay, int64_t *ret_excess_us)
{
    const struct hop *hop = request_hop(gateway, request, 0);
    int64_t latest_end_us = hop->end_us + hop->precision_us, late_us = stay->late_us;
    bool left_early = hop->status == 499; /* the client did not wait */
    int64_t still_us = left_early ? stay->begin_us : stay->earliest_end_us;
    int64_t excess_us = left_early ? 0 : max_us(0, hop->end_us - stay->end_us);

    /* Other attempts may have followed this one: then both began together. */
    if (hop->duration_us > late_us &&
        llabs(hop->end_us - hop->duration_us - stay->begin_us) < hop->precision_us + TOGETHER_US)
        late_us = hop->duration_us;
    if (latest_end_us < still_us - EARLY_US || hop->end_us > stay->end_us + late_us)
        return false;
    if (hop->duration_us >= 0) {
        /* nginx had it before PHP began, and at least as long. */
        if (hop->end_us - hop->duration_us > stay->begin_us + EARLY_US ||
            hop->duration_us < still_us - stay->begin_us - EARLY_US)
            return false;
        excess_us = max_us(excess_us, stay->begin_us - (latest_end_us - hop->duration_us));
        if (!left_early && stay->earliest_end_us == stay->end_us)
            excess_us = max_us(excess_us, hop->duration_us - (stay->end_us - stay->begin_us));
    }
    *ret_excess_us = excess_us;
    return true;
}

static enum match match_facts(const struct gateway *gateway, const struct served *served,
                              const struct request *request, struct stay stay,
                              int64_t *ret_excess_us)
{
    enum id_verdict ids = compare_ids(gateway, served, request);

    if (ids == IDS_DIFFER || !same_facts(gateway, served, request))
        return MATCH_NO;
    if (ids == IDS_EQUAL)
        stay.late_us = max_us(stay.late_us, CORE_US);
    if (!times_fit(gateway, request, &stay, ret_excess_us))
        return MATCH_NO;
    return ids == IDS_EQUAL ? MATCH_EXACT : MATCH_POSSIBLE;
}

bool match_looks_reset(const struct gateway *gateway, const struct request *request)
{
    bool told = false;

    for (int i = 0; i < request->fault_count; i++) {
        const struct fault *fault = request_fault(gateway, request, i);

        if (!fault->fastcgi || fault->cause == NGINX_STDERR || fault->cause == NGINX_OTHER)
            continue;
        if (fault->cause == NGINX_RESET || fault->cause == NGINX_CLOSED_EARLY)
            return true;
        told = true;
    }
    if (told || request->fault_count > 0)
        return false;
    const struct hop *hop = request_hop(gateway, request, 0);

    /* Without an error log every 502 of the hop that talks to PHP may be one. */
    return !(gateway->sources & SOURCE_ERROR) && !hop->proxied && hop->status == 502;
}

static struct slice query_of(struct slice uri)
{
    ptrdiff_t at = slice_index(uri, '?');

    return at < 0 ? SLICE("?") : slice_skip(uri, (size_t) at);
}

/* The kernel's log is the whole host's.  A process that neither the shim nor php-fpm's log knows is
 * a worker of another php-fpm (a container's, a neighbour's), whose requests went elsewhere. */
static bool is_strange(const struct gateway *gateway, const struct death *death)
{
    const unsigned both = SOURCE_EVENTS | SOURCE_FPM;

    return (gateway->sources & both) == both && !death->from_events && death->fpm_line.file < 0 &&
           death->timeout_line.file < 0;
}

/* A death of which only a log speaks: it has a pid and a second, nothing of the request. */
static enum match match_blind(const struct gateway *gateway, const struct death *death,
                              const struct request *request, int64_t *ret_excess_us)
{
    const struct hop *hop = request_hop(gateway, request, 0);
    int64_t late_us = death->core ? CORE_US : 2 * SECOND_US;

    if (!match_looks_reset(gateway, request) || is_strange(gateway, death))
        return MATCH_NO;
    if (hop->end_us + hop->precision_us < death->time_us - SECOND_US ||
        hop->end_us > death->time_us + death->precision_us + late_us)
        return MATCH_NO;
    if (death->query && !slice_equal(gateway_text(gateway, death->query),
                                     query_of(gateway_text(gateway, request->uri))))
        return MATCH_NO;
    if (death->ran_us > 0 && hop->duration_us >= 0 && hop->duration_us < death->ran_us - SECOND_US)
        return MATCH_NO;
    /* Both are cut to the second: mostly the same one, php-fpm may be some 100 ms late. */
    bool same_second = hop->end_us + hop->precision_us > death->time_us &&
                       hop->end_us < death->time_us + death->precision_us;

    *ret_excess_us = same_second ? 0 : INT64_MAX;
    return MATCH_POSSIBLE;
}

enum match match_death(const struct gateway *gateway, const struct death *death,
                       const struct request *request, int64_t *ret_excess_us)
{
    const struct served *served = &death->request;
    struct stay stay = {served->begin_us, death->earliest_us, death->time_us,
                        death->core ? CORE_US : LATE_US};

    if (!death->from_events || (death->in_request && !served->method))
        return match_blind(gateway, death, request, ret_excess_us);
    if (!served->method)
        return MATCH_NO; /* it served nobody */
    if (death->response_sent && served->response_us >= 0)
        stay.earliest_end_us = stay.end_us = served->response_us;
    return match_facts(gateway, served, request, stay, ret_excess_us);
}

enum match match_served(const struct gateway *gateway, const struct served *served,
                        const struct request *request, int64_t *ret_excess_us)
{
    const struct hop *hop = request_hop(gateway, request, 0);
    int64_t over_us = served->response_us >= 0 ? served->response_us : served->end_us;
    bool gave_up = served->write_errno != 0 || hop->status == 504 || hop->status == 499;
    const struct stay stay = {served->begin_us, gave_up ? served->begin_us : over_us, over_us,
                              LATE_US};

    /* When nginx did not wait, its line comes any time after PHP began. */
    return match_facts(gateway, served, request, stay, ret_excess_us);
}
