/*
 * gateway_tie.c - what speaks of a request without naming it is tied to the one that fits best:
 * nginx errors by method, URI, client and second; Varnish's failed fetches by id or by the same and
 * the time; PHP's own errors by second; requests that PHP finished by all that both sides say.
 *
 * Lines are taken in order of time, each for the nearest request that has no line of its kind yet,
 * so that ten equal requests get one error each and not ten get the first.
 */
#include <stddef.h>
#include <stdlib.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    TIE_SLACK_US = 1100000,     /* two logs that are stamped to the second */
    PHP_END_US = 1100000,       /* PHP's log and the 500's line */
    LATEST_US = 60 * SECOND_US, /* an attempt failed, the request went on elsewhere */
    LATENESS = 8,               /* ... which costs an eighth of what it is late */
};

/* Of the requests that ended in a stretch of time, the one that costs least to tie to. */
struct search {
    const struct gateway *gateway;
    size_t next;
    int64_t until_us;
    uint32_t best; /* NONE: none yet */
    int64_t best_us;
    enum match best_match; /* a better one outranks any cost */
};

static struct search search_ended(const struct gateway *gateway, int64_t from_us, int64_t until_us)
{
    size_t first = array_first_from(&gateway->requests, offsetof(struct request, end_us), from_us);

    return (struct search){gateway, first, until_us, NONE, INT64_MAX, MATCH_NO};
}

/* The next request of the stretch, or NULL. */
static struct request *search_next(struct search *search)
{
    if (search->next >= search->gateway->requests.count)
        return NULL;
    struct request *request = gateway_request(search->gateway, search->next++);

    return request->end_us <= search->until_us ? request : NULL;
}

/* What it would cost to tie to the request that search_next() gave; of equals the first stays. */
static void search_offer(struct search *search, enum match match, int64_t cost_us)
{
    if (match < search->best_match || (match == search->best_match && cost_us >= search->best_us))
        return;
    search->best = (uint32_t) search->next - 1;
    search->best_us = cost_us;
    search->best_match = match;
}

static struct request *search_best(const struct search *search)
{
    return search->best != NONE ? gateway_request(search->gateway, search->best) : NULL;
}

/* Microseconds from [from, to] to `time`; 0 inside. */
static int64_t distance_us(int64_t time_us, int64_t from_us, int64_t to_us)
{
    if (time_us < from_us)
        return from_us - time_us;
    return time_us > to_us ? time_us - to_us : 0;
}

static bool has_ip(const struct gateway *gateway, const struct request *request, text_id ip)
{
    for (int k = 0; k < request->hop_count; k++)
        if (gateway_same_or_unknown(request_hop(gateway, request, k)->ip, ip))
            return true;
    return false;
}

/* Could a refusal at once, or a wait, have taken as long as this request did? */
static int64_t fault_implausible_us(const struct request *request, const struct fault *fault)
{
    bool at_once = fault->cause == NGINX_CONNECT_EAGAIN || fault->cause == NGINX_CONNECT_ENOENT;

    return at_once && request->duration_us > 2 * SECOND_US ? SECOND_US : 0;
}

static bool fault_seen(const struct gateway *gateway, const struct request *request,
                       const struct fault *fault)
{
    for (int i = 0; i < request->fault_count; i++)
        if (request_fault(gateway, request, i)->fastcgi == fault->fastcgi)
            return true;
    return false;
}

/* Cost of tying; negative: impossible. */
static int64_t fault_cost_us(const struct gateway *gateway, const struct request *request,
                             const struct fault *fault)
{
    if (request->method != fault->method ||
        !gateway_same_uri(request->uri, request->uri_hash, fault->uri, fault->uri_hash) ||
        !gateway_same_or_unknown(request->host, fault->host) ||
        !has_ip(gateway, request, fault->ip))
        return -1;
    /* An attempt fails before the request ends; its stamp is cut to the second. */
    int64_t away_us = distance_us(fault->time_us, request->begin_us - fault->precision_us,
                                  request->end_us + request->precision_us);

    if (away_us > TIE_SLACK_US)
        return -1;
    int64_t late_us = llabs(request->end_us - fault->time_us);
    int64_t cost_us = away_us + fault_implausible_us(request, fault) +
                      (late_us < SECOND_US ? 0 : late_us / LATENESS);

    if (fault_seen(gateway, request, fault))
        cost_us += 4 * SECOND_US;
    if (!request->failed && fault->cause != NGINX_STDERR && !fault->after_header)
        cost_us += 8ll * SECOND_US;
    return cost_us;
}

static void tie_fault(struct gateway *gateway, uint32_t f)
{
    struct fault *fault = GATEWAY_AT(gateway, faults, fault, f);
    /* Nobody who ends later began early enough. */
    int64_t reach_us = gateway->longest_us < LATEST_US ? gateway->longest_us : LATEST_US;
    int64_t latest_us = fault->time_us + 2 * SECOND_US;
    struct search search =
        search_ended(gateway, fault->time_us - TIE_SLACK_US - SECOND_US, latest_us + reach_us);
    const struct request *request;

    while ((request = search_next(&search))) {
        int64_t cost_us = fault_cost_us(gateway, request, fault);

        if (cost_us >= 0 && request->fault_count < FAULTS_MAX)
            search_offer(&search, MATCH_POSSIBLE, cost_us);
        /* Who ends this late costs more than the best. */
        if (search.best != NONE && (request->end_us - latest_us) / LATENESS > search.best_us)
            break;
    }
    struct request *best = search_best(&search);

    if (!best)
        return;
    fault->request = search.best;
    best->faults[best->fault_count++] = f;
    best->failed |= fault->cause != NGINX_STDERR && fault->cause != NGINX_OTHER;
}

void tie_faults(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->requests.count; i++) {
        const struct request *request = gateway_request(gateway, i);

        if (request->duration_us > gateway->longest_us)
            gateway->longest_us = request->duration_us;
    }
    for (size_t i = 0; i < gateway->faults.count; i++)
        tie_fault(gateway, (uint32_t) i);
}

/* Some hop of this request carries that id. */
static bool has_id(const struct gateway *gateway, const struct request *request, text_id id)
{
    for (int k = 0; k < request->hop_count; k++)
        if (id && request_hop(gateway, request, k)->request_id == id)
            return true;
    return false;
}

static bool has_any_id(const struct gateway *gateway, const struct request *request)
{
    for (int k = 0; k < request->hop_count; k++)
        if (request_hop(gateway, request, k)->request_id)
            return true;
    return false;
}

static int64_t fetch_cost_us(const struct gateway *gateway, const struct request *request,
                             const struct fetch *fetch)
{
    int64_t cost_us =
        distance_us(fetch->end_us, request->end_us, request->end_us + request->precision_us);

    if (request->method != fetch->method || request->uri != fetch->uri ||
        !gateway_same_or_unknown(request->host, fetch->host) || request->fetch != NONE)
        return -1;
    if (distance_us(fetch->end_us, request->begin_us - 100000,
                    request->end_us + request->precision_us + 100000) > 0)
        return -1;
    if (fetch->request_id && has_any_id(gateway, request))
        return has_id(gateway, request, fetch->request_id) ? 0 : cost_us + 4 * SECOND_US;
    if (request->client_status < 500)
        cost_us += 4 * SECOND_US;
    return cost_us;
}

static void tie_fetch(struct gateway *gateway, uint32_t f)
{
    const struct fetch *fetch = GATEWAY_AT(gateway, fetches, fetch, f);
    struct search search =
        search_ended(gateway, fetch->start_us - SECOND_US, fetch->end_us + 2 * SECOND_US);
    struct request *request;

    while ((request = search_next(&search))) {
        int64_t cost_us = fetch_cost_us(gateway, request, fetch);

        if (cost_us >= 0)
            search_offer(&search, MATCH_POSSIBLE, cost_us);
    }
    if ((request = search_best(&search)))
        request->fetch = f;
}

void tie_fetches(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->fetches.count; i++)
        tie_fetch(gateway, (uint32_t) i);
}

static bool is_500(const struct gateway *gateway, const struct request *request)
{
    return request->client_status == 500 || request_hop(gateway, request, 0)->status == 500;
}

static void tie_php_end(struct gateway *gateway, uint32_t e)
{
    const struct php_end *end = GATEWAY_AT(gateway, php_ends, php_end, e);
    struct search search =
        search_ended(gateway, end->time_us - PHP_END_US, end->time_us + PHP_END_US);
    struct request *request;

    while ((request = search_next(&search))) {
        int64_t away_us = distance_us(end->time_us, request->end_us - end->precision_us,
                                      request->end_us + request->precision_us);

        if (is_500(gateway, request) && request->php_end == NONE && away_us < PHP_END_US)
            search_offer(&search, MATCH_POSSIBLE, away_us);
    }
    if ((request = search_best(&search)))
        request->php_end = e;
}

void tie_php_ends(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->php_ends.count; i++)
        tie_php_end(gateway, (uint32_t) i);
}

static void tie_one_served(struct gateway *gateway, uint32_t s)
{
    const struct served *served = GATEWAY_AT(gateway, served, served, s);
    struct search search =
        search_ended(gateway, served->begin_us - 2 * SECOND_US, served->end_us + 4 * SECOND_US);
    struct request *request;

    while ((request = search_next(&search))) {
        int64_t excess_us = 0;

        if (request->served != NONE || request->death_count > 0)
            continue;
        enum match match = match_served(gateway, served, request, &excess_us);

        if (match != MATCH_NO)
            search_offer(&search, match, excess_us);
    }
    if ((request = search_best(&search)))
        request->served = s;
}

void tie_served(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->served.count; i++)
        tie_one_served(gateway, (uint32_t) i);
}
