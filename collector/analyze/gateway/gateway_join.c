/*
 * gateway_join.c - which dead worker belongs to which request: never by guess.
 *
 * Every possible pair is an edge (gateway_edges.c).  A death whose only edge leads to one request
 * has that request (the access log is complete); then that request is taken, which may leave
 * another death with one edge, and so on.  What is left is ambiguous (gateway_groups.c).  A result
 * that leaves a reset connection without a dead worker is doubted and solved again with less trust
 * in timing.
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/gateway/gateway_edges.h"

enum { DOUBTS_MAX = 16 };

struct solver {
    const struct gateway *gateway;
    struct array *edges;
    uint8_t *death_counts; /* settled, by request */
    bool *taken;           /* requests that have all their deaths */
    bool changed;
};

/* How many dead workers nginx's list of attempts allows for this request. */
static int deaths_allowed(const struct gateway *gateway, uint32_t r)
{
    const struct request *request = gateway_request(gateway, r);
    int resets = 0;

    for (int i = 0; i < request->fault_count; i++) {
        const struct fault *fault = request_fault(gateway, request, i);

        resets +=
            fault->fastcgi && (fault->cause == NGINX_RESET || fault->cause == NGINX_CLOSED_EARLY);
    }
    for (int k = 0; k < request->hop_count; k++) {
        const struct hop *hop = request_hop(gateway, request, k);
        int failed = 0;

        for (int i = 0; i < hop->upstream_count; i++)
            failed += hop->upstream_status[i] == 502;
        resets = failed > resets ? failed : resets;
    }
    return resets > 1 ? resets : 1;
}

/* How well a death is known.  Who is known well chooses first: a crash of which only the kernel
 * speaks may be that of another php-fpm on this host, and must not share somebody's request. */
enum trust { TRUST_ID, TRUST_EVENTS, TRUST_ANY };

static enum trust trust_of(const struct gateway *gateway, const struct edge *edge)
{
    if (edge->match == MATCH_EXACT)
        return TRUST_ID;
    return gateway_death(gateway, edge->death)->from_events ? TRUST_EVENTS : TRUST_ANY;
}

/* One round: settle every death of this trust that has one possible request left. */
static void settle_round(struct solver *solver, enum trust trust)
{
    for (size_t from = 0, to; from < solver->edges->count; from = to) {
        struct edge *only = NULL;
        int left = 0;

        to = edges_of(solver->edges, from);
        for (size_t i = from; i < to; i++) {
            struct edge *edge = edge_at(solver->edges, i);

            if (!edge->gone && solver->taken[edge->request] && edge->match != MATCH_EXACT)
                edge->gone = true;
            if (!edge->gone) {
                only = edge;
                left++;
            }
        }
        if (left != 1 || trust_of(solver->gateway, only) > trust)
            continue;
        only->state = EDGE_SETTLED;
        only->gone = true;
        solver->changed = true;
        if (++solver->death_counts[only->request] >= deaths_allowed(solver->gateway, only->request))
            solver->taken[only->request] = true;
    }
}

static void settle(struct solver *solver)
{
    size_t requests = solver->gateway->requests.count;

    memset(solver->taken, 0, requests * sizeof *solver->taken);
    memset(solver->death_counts, 0, requests * sizeof *solver->death_counts);
    for (size_t i = 0; i < solver->edges->count; i++) {
        edge_at(solver->edges, i)->gone = edge_at(solver->edges, i)->dropped;
        edge_at(solver->edges, i)->state = EDGE_OPEN;
    }
    for (enum trust trust = TRUST_ID; trust <= TRUST_ANY; trust++)
        do {
            solver->changed = false;
            settle_round(solver, trust);
        } while (solver->changed);
    for (size_t i = 0; i < solver->edges->count; i++)
        if (!edge_at(solver->edges, i)->gone)
            edge_at(solver->edges, i)->state = EDGE_SHARED;
}

/*
 * The proof by contradiction: a request whose connection was reset must have a dead worker.  When
 * one is left without, although a less well-timed edge leads to it, then timing has misled: that
 * death is asked again with all its edges.  True when something was taken back.
 */
static bool doubt(struct solver *solver)
{
    size_t requests = solver->gateway->requests.count;
    bool doubted = false;

    memset(solver->taken, 0, requests * sizeof *solver->taken);
    for (size_t i = 0; i < solver->edges->count; i++)
        if (edge_at(solver->edges, i)->state != EDGE_OPEN)
            solver->taken[edge_at(solver->edges, i)->request] = true;
    for (size_t from = 0, to; from < solver->edges->count; from = to) {
        bool orphan = false;

        to = edges_of(solver->edges, from);
        for (size_t i = from; i < to; i++) {
            const struct edge *edge = edge_at(solver->edges, i);

            orphan |=
                edge->dropped && !solver->taken[edge->request] &&
                match_looks_reset(solver->gateway, gateway_request(solver->gateway, edge->request));
        }
        for (size_t i = from; orphan && i < to; i++)
            edge_at(solver->edges, i)->dropped = false;
        doubted |= orphan;
    }
    return doubted;
}

static void solve(struct gateway *gateway, struct array *edges)
{
    size_t count = gateway->requests.count + 1;
    struct solver solver = {.gateway = gateway,
                            .edges = edges,
                            .death_counts = calloc(count, sizeof *solver.death_counts),
                            .taken = calloc(count, sizeof *solver.taken)};

    if (solver.taken && solver.death_counts) {
        settle(&solver);
        for (int round = 0; round < DOUBTS_MAX && doubt(&solver); round++)
            settle(&solver);
        groups_commit(gateway, edges);
    }
    free(solver.taken);
    free(solver.death_counts);
}

void join_deaths(struct gateway *gateway)
{
    struct array edges;

    edges_find(gateway, &edges);
    edges_drop_unusual(gateway, &edges);
    solve(gateway, &edges);
    array_release(&edges);
}
