/*
 * gateway_match.c - can this dead worker's request (or one that PHP finished) be the request of
 * these access lines?
 *
 * What both sides say must be equal: method, URI, host, client, port, agent.  Then the times must
 * be possible: nginx has the request before PHP, and logs it after PHP is gone.  Measured in
 * facts/gateway.md section 3: the line comes 0.5 to 31 ms after the crash, request_time exceeds the
 * time in PHP by 0.8 to 36 ms.  Within a tenth of that order the match is TIGHT, within what a
 * loaded or core-dumping host may need it is LOOSE.
 */
#include <stdlib.h>

#include "analyze/gateway_parts.h"

enum {
    EARLY_US = 60000,         /* stamps of two processes may be out of order by this */
    TIGHT_US = 350000,        /* the line follows the death within this */
    LOOSE_US = 3 * SECOND_US, /* ... on a host that is on its knees */
    CORE_US = 60 * SECOND_US, /* ... that writes a core first */
    QUEUE_US = 500000,        /* longest wait in an ordinary pool's queue */
    AGENT_BYTES = 256,        /* the shim cuts texts here */
};

static const struct hop *hop_of(const struct gateway *gateway, const struct request *request, int k)
{
    return GATEWAY_AT(gateway, hops, hop, request->hops[k]);
}

static bool same_or_unknown(text_id a, text_id b)
{
    return a == b || a == 0 || b == 0;
}

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
    if (served->uri == request->uri)
        return true;
    return served->uri_masked &&
           masked_equal(gateway_text(gateway, served->uri), gateway_text(gateway, request->uri));
}

static bool same_agent(const struct gateway *gateway, text_id a, text_id b)
{
    return same_or_unknown(a, b) || slice_equal(slice_head(gateway_text(gateway, a), AGENT_BYTES),
                                                slice_head(gateway_text(gateway, b), AGENT_BYTES));
}

/* Every fact but the time and the ids.  One hop must have it all: the one that talked to PHP. */
static bool same_facts(const struct gateway *gateway, const struct served *served,
                       const struct request *request)
{
    if (served->method != request->method || !same_uri(gateway, served, request) ||
        !same_or_unknown(served->host, request->host))
        return false;
    for (int k = 0; k < request->hop_count; k++) {
        const struct hop *hop = hop_of(gateway, request, k);

        if (!hop->proxied && same_or_unknown(served->ip, hop->ip) &&
            same_or_unknown(served->port, hop->port) &&
            same_agent(gateway, served->agent, hop->agent))
            return true;
    }
    /* Only the front line is there: its port is another, its client may be. */
    return hop_of(gateway, request, request->hop_count - 1)->proxied && request->hop_count == 1 &&
           same_agent(gateway, served->agent, hop_of(gateway, request, 0)->agent);
}

enum id_verdict { IDS_UNKNOWN, IDS_DIFFER, IDS_EQUAL };

static enum id_verdict compare_ids(const struct gateway *gateway, const struct served *served,
                                   const struct request *request)
{
    enum id_verdict verdict = IDS_UNKNOWN;

    if (!served->request_id && !served->x_request_id)
        return IDS_UNKNOWN;
    for (int k = 0; k < request->hop_count; k++) {
        text_id id = hop_of(gateway, request, k)->request_id;

        if (id && (id == served->request_id || id == served->x_request_id))
            return IDS_EQUAL;
        if (id && served->request_id && !hop_of(gateway, request, k)->proxied)
            verdict = IDS_DIFFER;
    }
    return verdict;
}

/* How certain the times make it.  `over_us`: when PHP was through with it; `earliest_us`: it may
 * have been that early (a worker that just vanished). */
static enum match match_times(const struct gateway *gateway, const struct served *served,
                              const struct request *request, int64_t earliest_us, int64_t over_us,
                              int64_t late_us)
{
    const struct hop *hop = hop_of(gateway, request, 0);
    int64_t latest_end_us = hop->end_us + hop->precision_us;
    bool left_early = hop->status == 499;

    /* The line must come after the end in PHP, except when the client did not wait for it. */
    if (left_early ? latest_end_us < served->begin_us - EARLY_US
                   : latest_end_us < earliest_us - EARLY_US)
        return MATCH_NO;
    if (hop->end_us > over_us + late_us)
        return MATCH_NO;
    bool tight = left_early || hop->end_us <= over_us + TIGHT_US;

    if (hop->duration_us < 0)
        return tight ? MATCH_TIGHT : MATCH_LOOSE;
    /* nginx had it before PHP began. */
    if (hop->end_us - hop->duration_us > served->begin_us + EARLY_US)
        return MATCH_NO;
    if (!left_early && hop->duration_us < earliest_us - served->begin_us - EARLY_US)
        return MATCH_NO;
    if (latest_end_us - hop->duration_us < served->begin_us - QUEUE_US)
        tight = false; /* it waited for a worker first, or it is another */
    if (!left_early && earliest_us == over_us &&
        hop->duration_us > over_us - served->begin_us + QUEUE_US + TIGHT_US)
        tight = false;
    return tight ? MATCH_TIGHT : MATCH_LOOSE;
}

static enum match match_facts(const struct gateway *gateway, const struct served *served,
                              const struct request *request, int64_t earliest_us, int64_t over_us,
                              int64_t late_us)
{
    enum id_verdict ids = compare_ids(gateway, served, request);

    if (ids == IDS_DIFFER || !same_facts(gateway, served, request))
        return MATCH_NO;
    if (ids == IDS_EQUAL && late_us < CORE_US)
        late_us = CORE_US; /* other attempts may have come after this one */
    enum match match = match_times(gateway, served, request, earliest_us, over_us, late_us);

    return match != MATCH_NO && ids == IDS_EQUAL ? MATCH_EXACT : match;
}

bool match_looks_reset(const struct gateway *gateway, const struct request *request)
{
    bool told = false;

    for (int i = 0; i < request->fault_count; i++) {
        const struct fault *fault = GATEWAY_AT(gateway, faults, fault, request->faults[i]);

        if (!fault->fastcgi || fault->cause == NGINX_STDERR || fault->cause == NGINX_OTHER)
            continue;
        if (fault->cause == NGINX_RESET || fault->cause == NGINX_CLOSED_EARLY)
            return true;
        told = true;
    }
    if (told || request->fault_count > 0)
        return false;
    const struct hop *hop = hop_of(gateway, request, 0);

    /* Without an error log every 502 of the hop that talks to PHP may be one. */
    return !(gateway->sources & SOURCE_ERROR) && !hop->proxied && hop->status == 502;
}

static struct slice query_of(struct slice uri)
{
    ptrdiff_t at = slice_index(uri, '?');

    return at < 0 ? SLICE("?") : slice_skip(uri, (size_t) at);
}

/* A death of which only a log speaks: it has a pid and a second, nothing of the request. */
static enum match match_blind(const struct gateway *gateway, const struct death *death,
                              const struct request *request)
{
    const struct hop *hop = hop_of(gateway, request, 0);
    int64_t late_us = death->core ? CORE_US : 2 * SECOND_US;

    if (!match_looks_reset(gateway, request))
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
    return hop->end_us + hop->precision_us > death->time_us &&
                   hop->end_us < death->time_us + death->precision_us
               ? MATCH_TIGHT
               : MATCH_LOOSE;
}

enum match match_death(const struct gateway *gateway, const struct death *death,
                       const struct request *request)
{
    int64_t late_us = death->core ? CORE_US : LOOSE_US;

    if (!death->from_events || (death->in_request && !death->request.method))
        return match_blind(gateway, death, request);
    if (!death->request.method)
        return MATCH_NO; /* it served nobody */
    if (death->response_sent && death->request.response_us >= 0)
        return match_facts(gateway, &death->request, request, death->request.response_us,
                           death->time_us, late_us);
    return match_facts(gateway, &death->request, request, death->earliest_us, death->time_us,
                       late_us);
}

enum match match_served(const struct gateway *gateway, const struct served *served,
                        const struct request *request)
{
    int64_t over_us = served->response_us >= 0 ? served->response_us : served->end_us;
    const struct hop *hop = hop_of(gateway, request, 0);
    bool gave_up = served->write_errno != 0 || hop->status == 504 || hop->status == 499;

    /* When nginx did not wait, its line comes any time after PHP began. */
    return match_facts(gateway, served, request, gave_up ? served->begin_us : over_us, over_us,
                       LOOSE_US);
}
