/* gateway_evidence.c - all that is known about one request, laid on the table before judging. */
#include <stddef.h>
#include <stdlib.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    NEAR_US = 3 * SECOND_US,         /* an outage shows itself to the next request by then */
    VARNISH_BACK_US = 5 * SECOND_US, /* Varnish's child is up again by then */
    LATER_US = 600 * SECOND_US,      /* a page that nobody waits for is ended by then */
};

static bool says_nothing_of_cause(const struct fault *fault)
{
    return fault->cause == NGINX_STDERR || fault->cause == NGINX_OTHER;
}

/* The last attempt decides what the client got. */
static void gather_faults(const struct gateway *gateway, const struct request *request,
                          struct evidence *e)
{
    for (int i = 0; i < request->fault_count; i++) {
        const struct fault *fault = request_fault(gateway, request, i);

        if (fault->cause == NGINX_STDERR && fault->php_fatal)
            e->php_said = fault;
        else if (says_nothing_of_cause(fault))
            e->other_fault = fault;
        else if (fault->fastcgi)
            e->php_fault = fault;
        else
            e->proxy_fault = fault;
    }
}

static void gather_hops(const struct gateway *gateway, const struct request *request,
                        struct evidence *e)
{
    const struct hop *inner = request_hop(gateway, request, 0);

    for (int k = 0; k < request->hop_count; k++)
        e->front_hop |= request_hop(gateway, request, k)->proxied;
    e->back_hop = !inner->proxied && (inner->handler || request->hop_count > 1 ||
                                      (inner->upstream_count > 0 && !e->proxy_fault));
    e->back_status = e->back_hop ? inner->status : -1;
    e->duration_us = inner->duration_us >= 0 ? inner->duration_us : request->duration_us;
}

static void gather_deaths(const struct gateway *gateway, const struct request *request,
                          struct evidence *e)
{
    for (int i = 0; i < request->death_count; i++) {
        const struct death *death = gateway_death(gateway, request->deaths[i]);

        e->mixed_deaths |= request->join == JOIN_AMBIGUOUS && e->death &&
                           (e->death->cause != death->cause || e->death->signo != death->signo);
        e->death = death;
        if (death->restart != NONE)
            e->restart = GATEWAY_AT(gateway, restarts, restart, death->restart);
    }
    /* Fewer deaths than reset requests while PHP-FPM restarts: some were cut off by the restart. */
    e->mixed_deaths |= request->join == JOIN_AMBIGUOUS && request->suspects < request->candidates &&
                       e->restart && e->death && e->death->cause != DEATH_RESTART;
}

static bool is_connect_failure(enum log_nginx_cause cause)
{
    return cause == NGINX_CONNECT_ENOENT || cause == NGINX_CONNECT_REFUSED ||
           cause == NGINX_NO_LIVE || cause == NGINX_CONNECT_OTHER;
}

static void gather_outages(const struct gateway *gateway, const struct request *request,
                           struct evidence *e)
{
    int64_t end_us = request->end_us + request->precision_us;

    for (size_t i = array_first_from(&gateway->faults, offsetof(struct fault, time_us),
                                     request->end_us - NEAR_US);
         i < gateway->faults.count; i++) {
        const struct fault *fault = GATEWAY_AT(gateway, faults, fault, i);

        if (fault->time_us > end_us + NEAR_US)
            break;
        if (!is_connect_failure(fault->cause))
            continue;
        e->varnish_down_near |= !fault->fastcgi;
        e->fpm_gone_after |=
            fault->fastcgi && fault->time_us + fault->precision_us >= request->end_us;
    }
    for (size_t i = 0; i < gateway->varnish_notes.count; i++) {
        const struct varnish_note *note = GATEWAY_AT(gateway, varnish_notes, varnish_note, i);

        if (note->what == VARNISHD_STOPPED)
            continue;
        /* "died" comes without a time; the panic that mostly follows it has one. */
        if (note->time_us < 0 ? !gateway->varnish_times
                              : note->time_us >= request->begin_us - VARNISH_BACK_US &&
                                    note->time_us <= end_us + SECOND_US)
            e->varnish_died = true;
    }
}

static void gather_pool(const struct gateway *gateway, const struct request *request,
                        struct evidence *e)
{
    const struct hop *inner = request_hop(gateway, request, 0);
    uint32_t restart = restarts_at(gateway, inner->end_us, inner->precision_us);
    const text_id pool = pool_of_request(gateway, request);
    uint32_t down = spans_at(gateway, SPAN_DOWN, 0, inner->end_us, inner->precision_us);
    uint32_t busy = spans_at(gateway, SPAN_BUSY, pool, inner->end_us, inner->precision_us);

    e->pool = pool;
    e->restart = restart != NONE ? GATEWAY_AT(gateway, restarts, restart, restart) : NULL;
    e->down = down != NONE ? GATEWAY_AT(gateway, spans, span, down) : NULL;
    e->busy = busy != NONE ? GATEWAY_AT(gateway, spans, span, busy) : NULL;
}

/*
 * nginx no longer waited, PHP went on and was ended before it was done: such a death is no cause of
 * the failure.  Only the one worker that can have been at it is named.
 */
static void gather_later_death(const struct gateway *gateway, const struct request *request,
                               struct evidence *e)
{
    const struct death *found = NULL;

    if (e->death || e->served || !e->php_fault || e->php_fault->cause != NGINX_READ_TIMEOUT)
        return;
    for (size_t i =
             array_first_from(&gateway->deaths, offsetof(struct death, time_us), request->end_us);
         i < gateway->deaths.count; i++) {
        const struct death *death = gateway_death(gateway, i);
        const struct served *served = &death->request;

        if (death->time_us > request->end_us + LATER_US)
            break;
        if (death->tied || served->method != request->method || !served->method ||
            served->begin_us < request->begin_us - request->precision_us ||
            served->begin_us > request->end_us + request->precision_us ||
            !gateway_same_uri(served->uri, served->uri_hash, request->uri, request->uri_hash))
            continue;
        if (found)
            return;
        found = death;
    }
    e->later = found;
}

void evidence_gather(const struct gateway *gateway, const struct request *request,
                     struct evidence *ret_evidence)
{
    struct evidence *e = ret_evidence;

    *e = (struct evidence){
        .gateway = gateway, .request = request, .duration_us = -1, .back_status = -1};
    e->status = request->client_status;
    gather_faults(gateway, request, e);
    gather_hops(gateway, request, e);
    gather_pool(gateway, request, e);
    gather_deaths(gateway, request, e);
    gather_outages(gateway, request, e);
    if (request->fetch != NONE)
        e->fetch = GATEWAY_AT(gateway, fetches, fetch, request->fetch);
    if (request->php_end != NONE)
        e->php_end = GATEWAY_AT(gateway, php_ends, php_end, request->php_end);
    if (request->served != NONE)
        e->served = GATEWAY_AT(gateway, served, served, request->served);
    gather_later_death(gateway, request, e);
}

void evidence_of_death(const struct gateway *gateway, const struct death *death,
                       struct evidence *ret_evidence)
{
    *ret_evidence =
        (struct evidence){.gateway = gateway, .death = death, .duration_us = -1, .back_status = -1};
    if (death->restart != NONE)
        ret_evidence->restart = GATEWAY_AT(gateway, restarts, restart, death->restart);
}
