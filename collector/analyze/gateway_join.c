/*
 * gateway_join.c - which dead worker belongs to which request: never by guess.
 *
 * Every possible pair is an edge.  A death whose only edge leads to one request has that request
 * (the access log is complete); then that request is taken, which may leave another death with one
 * edge, and so on.  What is left is ambiguous: its requests share the deaths between them, and the
 * row says among how many.
 */
#include <stddef.h>
#include <stdlib.h>

#include "analyze/gateway_parts.h"

enum {
    REACH_US = 62 * SECOND_US, /* after a death (gateway_match.c, CORE_US) */
    EDGES_PER_DEATH = 256,
    EDGES_MAX = 1 << 22,
};

struct edge {
    uint32_t death, request;
    enum match match;
    bool gone;
};

static struct request *request_at(const struct gateway *gateway, size_t i)
{
    return GATEWAY_AT(gateway, requests, request, i);
}

static struct death *death_at(const struct gateway *gateway, size_t i)
{
    return GATEWAY_AT(gateway, deaths, death, i);
}

/* How good an edge is: an id outranks all; then a request whose outcome fits the death (failed, or
 * well for a worker that crashed after its response); then well-timed before possible. */
static int rank_of(const struct gateway *gateway, const struct edge *edge)
{
    bool failed = request_at(gateway, edge->request)->failed;
    bool fits = failed != death_at(gateway, edge->death)->response_sent;

    return (edge->match == MATCH_EXACT ? 100 : 0) + (fits ? 10 : 0) + (int) edge->match;
}

/* Of the edges [from, count), all of one death, keep the best. */
static void keep_best(const struct gateway *gateway, struct array *edges, size_t from)
{
    int best = 0;
    size_t kept = from;

    for (size_t i = from; i < edges->count; i++) {
        int rank = rank_of(gateway, array_at(edges, i));

        best = rank > best ? rank : best;
    }
    for (size_t i = from; i < edges->count; i++) {
        const struct edge edge = *(struct edge *) array_at(edges, i);

        if (rank_of(gateway, &edge) == best)
            *(struct edge *) array_at(edges, kept++) = edge;
    }
    edges->count = kept;
}

static void find_edges(struct gateway *gateway, uint32_t d, struct array *edges)
{
    const struct death *death = death_at(gateway, d);
    size_t from = edges->count;
    int64_t since_us =
        death->from_events && death->request.method ? death->request.begin_us : death->time_us;

    for (size_t i = array_first_from(&gateway->requests, offsetof(struct request, end_us),
                                     since_us - 3 * SECOND_US);
         i < gateway->requests.count && edges->count - from < EDGES_PER_DEATH; i++) {
        const struct request *request = request_at(gateway, i);

        if (request->end_us > death->time_us + REACH_US)
            break;
        enum match match = match_death(gateway, death, request);

        if (death->cause == DEATH_LOST && !match_looks_reset(gateway, request))
            continue; /* nothing says that it died, unless this request does */
        struct edge *edge = match == MATCH_NO ? NULL : array_add(edges);

        if (edge)
            *edge = (struct edge){.death = d, .request = (uint32_t) i, .match = match};
    }
    keep_best(gateway, edges, from);
}

static bool is_exact(const struct edge *edge)
{
    return edge->match == MATCH_EXACT;
}

static void tie(struct gateway *gateway, const struct edge *edge, enum gateway_join join,
                int candidates)
{
    struct request *request = request_at(gateway, edge->request);

    if (request->death_count == 0 || join > request->join)
        request->join = join;
    if (candidates > request->candidates)
        request->candidates = candidates;
    if (request->death_count < DEATHS_MAX)
        request->deaths[request->death_count++] = edge->death;
    request->wanted = true;
    death_at(gateway, edge->death)->tied = true;
}

struct solver {
    struct gateway *gateway;
    struct array *edges;
    bool *taken; /* requests that have their death */
    bool changed;
};

/* Edges of one death lie side by side: [*ret_from, return). */
static size_t edges_of(const struct array *edges, size_t from)
{
    uint32_t death = ((const struct edge *) array_at(edges, from))->death;
    size_t to = from;

    while (to < edges->count && ((const struct edge *) array_at(edges, to))->death == death)
        to++;
    return to;
}

/* Does nginx's list of attempts allow a second dead worker for this request? */
static bool may_share(const struct gateway *gateway, uint32_t r)
{
    const struct request *request = request_at(gateway, r);
    int resets = 0;

    for (int i = 0; i < request->fault_count; i++) {
        const struct fault *fault = GATEWAY_AT(gateway, faults, fault, request->faults[i]);

        resets +=
            fault->fastcgi && (fault->cause == NGINX_RESET || fault->cause == NGINX_CLOSED_EARLY);
    }
    for (int k = 0; k < request->hop_count; k++) {
        const struct hop *hop = GATEWAY_AT(gateway, hops, hop, request->hops[k]);
        int failed = 0;

        for (int i = 0; i < hop->upstream_count; i++)
            failed += hop->upstream_status[i] == 502;
        resets = failed > resets ? failed : resets;
    }
    return request->death_count < resets;
}

/* One round: settle every death that has one possible request left. */
static void settle_round(struct solver *solver)
{
    for (size_t from = 0, to; from < solver->edges->count; from = to) {
        struct edge *only = NULL;
        int left = 0;

        to = edges_of(solver->edges, from);
        for (size_t i = from; i < to; i++) {
            struct edge *edge = array_at(solver->edges, i);

            if (!edge->gone && solver->taken[edge->request] && !is_exact(edge))
                edge->gone = true;
            if (!edge->gone) {
                only = edge;
                left++;
            }
        }
        if (left != 1)
            continue;
        tie(solver->gateway, only, is_exact(only) ? JOIN_EXACT : JOIN_STRONG, 1);
        solver->taken[only->request] = !may_share(solver->gateway, only->request);
        only->gone = true;
        solver->changed = true;
    }
}

static uint32_t root_of(uint32_t *parents, uint32_t r)
{
    while (parents[r] != r)
        r = parents[r] = parents[parents[r]];
    return r;
}

/* What is left: requests that share deaths form groups; each member names the group's size. */
static void settle_groups(struct solver *solver)
{
    size_t count = solver->gateway->requests.count;
    uint32_t *parents = calloc(count + 1, sizeof *parents);
    uint32_t *sizes = calloc(count + 1, sizeof *sizes);
    bool *member = calloc(count + 1, sizeof *member);

    for (uint32_t i = 0; parents && i < count; i++)
        parents[i] = i;
    for (size_t from = 0, to; parents && from < solver->edges->count; from = to) {
        uint32_t first = NONE;

        to = edges_of(solver->edges, from);
        for (size_t i = from; i < to; i++) {
            const struct edge *edge = array_at(solver->edges, i);

            if (edge->gone)
                continue;
            if (first != NONE)
                parents[root_of(parents, edge->request)] = root_of(parents, first);
            first = edge->request;
            if (member)
                member[edge->request] = true;
        }
    }
    for (uint32_t i = 0; parents && sizes && member && i < count; i++)
        if (member[i])
            sizes[root_of(parents, i)]++;
    for (size_t i = 0; parents && sizes && i < solver->edges->count; i++) {
        const struct edge *edge = array_at(solver->edges, i);

        if (!edge->gone)
            tie(solver->gateway, edge, JOIN_AMBIGUOUS,
                (int) sizes[root_of(parents, edge->request)]);
    }
    free(parents);
    free(sizes);
    free(member);
}

void join_deaths(struct gateway *gateway)
{
    struct array edges;
    struct solver solver = {.gateway = gateway, .edges = &edges, .changed = true};

    array_init(&edges, sizeof(struct edge), EDGES_MAX);
    for (uint32_t d = 0; d < gateway->deaths.count; d++)
        find_edges(gateway, d, &edges);
    gateway->report.dropped += edges.refused;
    solver.taken = calloc(gateway->requests.count + 1, sizeof *solver.taken);
    while (solver.taken && solver.changed) {
        solver.changed = false;
        settle_round(&solver);
    }
    if (solver.taken)
        settle_groups(&solver);
    free(solver.taken);
    array_release(&edges);
}

/* Requests that PHP finished: did this one get there, and how did PHP see it? */
void join_served(struct gateway *gateway)
{
    for (uint32_t s = 0; s < gateway->served.count; s++) {
        const struct served *served = GATEWAY_AT(gateway, served, served, s);
        struct request *best = NULL;
        enum match best_match = MATCH_NO;

        for (size_t i = array_first_from(&gateway->requests, offsetof(struct request, end_us),
                                         served->begin_us - 2 * SECOND_US);
             i < gateway->requests.count; i++) {
            struct request *request = request_at(gateway, i);

            if (request->end_us > served->end_us + 4 * SECOND_US)
                break;
            if (request->served != NONE || request->death_count > 0)
                continue;
            enum match match = match_served(gateway, served, request);

            if (match > best_match) {
                best_match = match;
                best = request;
            }
        }
        if (best)
            best->served = s;
    }
}
