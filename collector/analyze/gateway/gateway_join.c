/*
 * gateway_join.c - which dead worker belongs to which request: never by guess.
 *
 * Every possible pair is an edge.  A death whose only edge leads to one request has that request
 * (the access log is complete); then that request is taken, which may leave another death with one
 * edge, and so on.  What is left is ambiguous: its requests share the deaths between them, and the
 * row says among how many.  A result that leaves a reset connection without a dead worker is
 * doubted and solved again with less trust in timing.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    REACH_US = 62 * SECOND_US, /* after a death (gateway_match.c, CORE_US) */
    EDGES_PER_DEATH = 256,
    EDGES_MAX = 1 << 22,
    DOUBTS_MAX = 16,
    SAMPLES_FEW = 4,
    SAMPLES_MANY = 30,
    USUAL_MIN_US = 80000,
    UNUSUAL_US = SECOND_US,
};

struct edge {
    uint32_t death, request;
    enum match match;
    int64_t excess_us; /* time outside of PHP that it would mean */
    bool dropped;      /* a better-timed edge of the same death is believed instead */
    bool gone;         /* settled, or its request is taken */
    enum { EDGE_OPEN, EDGE_SETTLED, EDGE_SHARED } state;
};

struct solver {
    struct gateway *gateway;
    struct array edges;
    uint8_t *death_counts; /* settled, by request */
    bool *taken;           /* requests that have all their deaths */
    bool changed;
};

static struct edge *edge_at(const struct solver *solver, size_t i)
{
    return array_at(&solver->edges, i);
}

/* How good an edge is, apart from its timing: an id outranks all; then a request whose outcome fits
 * the death (failed, or well for a worker that crashed after its response). */
static int rank_of(const struct gateway *gateway, const struct edge *edge)
{
    bool failed = gateway_request(gateway, edge->request)->failed;
    bool fits = failed != gateway_death(gateway, edge->death)->response_sent;

    return (edge->match == MATCH_EXACT ? 2 : 0) + (fits ? 1 : 0);
}

/* Of the edges [from, count), all of one death, keep those of the best rank. */
static void keep_best(struct solver *solver, size_t from)
{
    int best = 0;
    size_t kept = from;

    for (size_t i = from; i < solver->edges.count; i++) {
        int rank = rank_of(solver->gateway, edge_at(solver, i));

        best = rank > best ? rank : best;
    }
    for (size_t i = from; i < solver->edges.count; i++) {
        const struct edge edge = *edge_at(solver, i);

        if (rank_of(solver->gateway, &edge) == best)
            *edge_at(solver, kept++) = edge;
    }
    solver->edges.count = kept;
}

static void find_edges(struct solver *solver, uint32_t d)
{
    struct gateway *gateway = solver->gateway;
    const struct death *death = gateway_death(gateway, d);
    size_t from = solver->edges.count;
    int64_t since_us =
        death->from_events && death->request.method ? death->request.begin_us : death->time_us;

    for (size_t i = array_first_from(&gateway->requests, offsetof(struct request, end_us),
                                     since_us - 3 * SECOND_US);
         i < gateway->requests.count && solver->edges.count - from < EDGES_PER_DEATH; i++) {
        const struct request *request = gateway_request(gateway, i);

        if (request->end_us > death->time_us + REACH_US)
            break;
        int64_t excess_us = 0;
        enum match match = match_death(gateway, death, request, &excess_us);

        if (death->cause == DEATH_LOST && !match_looks_reset(gateway, request))
            continue; /* nothing says that it died, unless this request does */
        struct edge *edge = match == MATCH_NO ? NULL : array_add(&solver->edges);

        if (edge)
            *edge = (struct edge){
                .death = d, .request = (uint32_t) i, .match = match, .excess_us = excess_us};
    }
    keep_best(solver, from);
}

/* Edges of one death lie side by side: [from, return). */
static size_t edges_of(const struct solver *solver, size_t from)
{
    uint32_t death = edge_at(solver, from)->death;
    size_t to = from;

    while (to < solver->edges.count && edge_at(solver, to)->death == death)
        to++;
    return to;
}

/*
 * How long requests stay outside of PHP on this host, in these minutes: measured on the deaths that
 * can belong to one request only.  Few of them measure badly; without any, nothing is excluded.
 */
static int64_t usual_excess_us(struct solver *solver)
{
    int64_t longest_us = 0;
    int n = 0;

    memset(solver->death_counts, 0, solver->gateway->requests.count);
    for (size_t i = 0; i < solver->edges.count; i++)
        if (solver->death_counts[edge_at(solver, i)->request] < UINT8_MAX)
            solver->death_counts[edge_at(solver, i)->request]++;
    for (size_t from = 0, to; from < solver->edges.count; from = to) {
        const struct edge *edge = edge_at(solver, from);

        to = edges_of(solver, from);
        if (to - from > 1 || solver->death_counts[edge->request] > 1 ||
            edge->excess_us == INT64_MAX ||
            !gateway_death(solver->gateway, edge->death)->from_events)
            continue;
        longest_us = edge->excess_us > longest_us ? edge->excess_us : longest_us;
        n++;
    }
    if (n < SAMPLES_FEW)
        return UNUSUAL_US;
    longest_us *= n < SAMPLES_MANY ? 4 : 3;
    return longest_us < USUAL_MIN_US ? USUAL_MIN_US : longest_us;
}

/* A request that did not fail needs a better reason than that it is the only one in sight. */
static bool is_far_fetched(const struct gateway *gateway, const struct edge *edge, int64_t usual_us)
{
    return edge->match != MATCH_EXACT && edge->excess_us > usual_us &&
           !gateway_request(gateway, edge->request)->failed;
}

/* Believe the edges of a death that cost the usual time, when it has any. */
static void drop_unusual(struct solver *solver)
{
    int64_t usual_us = usual_excess_us(solver);

    for (size_t from = 0, to; from < solver->edges.count; from = to) {
        bool usual = false;

        to = edges_of(solver, from);
        for (size_t i = from; i < to; i++)
            usual |= edge_at(solver, i)->excess_us <= usual_us;
        for (size_t i = from; i < to; i++)
            edge_at(solver, i)->dropped =
                (usual && edge_at(solver, i)->excess_us > usual_us) ||
                is_far_fetched(solver->gateway, edge_at(solver, i), usual_us);
    }
}

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
    for (size_t from = 0, to; from < solver->edges.count; from = to) {
        struct edge *only = NULL;
        int left = 0;

        to = edges_of(solver, from);
        for (size_t i = from; i < to; i++) {
            struct edge *edge = edge_at(solver, i);

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
    for (size_t i = 0; i < solver->edges.count; i++) {
        edge_at(solver, i)->gone = edge_at(solver, i)->dropped;
        edge_at(solver, i)->state = EDGE_OPEN;
    }
    for (enum trust trust = TRUST_ID; trust <= TRUST_ANY; trust++)
        do {
            solver->changed = false;
            settle_round(solver, trust);
        } while (solver->changed);
    for (size_t i = 0; i < solver->edges.count; i++)
        if (!edge_at(solver, i)->gone)
            edge_at(solver, i)->state = EDGE_SHARED;
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
    for (size_t i = 0; i < solver->edges.count; i++)
        if (edge_at(solver, i)->state != EDGE_OPEN)
            solver->taken[edge_at(solver, i)->request] = true;
    for (size_t from = 0, to; from < solver->edges.count; from = to) {
        bool orphan = false;

        to = edges_of(solver, from);
        for (size_t i = from; i < to; i++) {
            const struct edge *edge = edge_at(solver, i);

            orphan |=
                edge->dropped && !solver->taken[edge->request] &&
                match_looks_reset(solver->gateway, gateway_request(solver->gateway, edge->request));
        }
        for (size_t i = from; orphan && i < to; i++)
            edge_at(solver, i)->dropped = false;
        doubted |= orphan;
    }
    return doubted;
}

/* Requests that share deaths. */
struct group {
    uint32_t parent;            /* leads to the group's root; the rest is counted there */
    uint32_t members, suspects; /* requests and deaths */
    uint32_t failed;            /* members that failed */
    uint32_t shown;             /* members that did not fail and are shown all the same */
    bool member;
};

static uint32_t root_of(struct group *groups, uint32_t r)
{
    while (groups[r].parent != r)
        r = groups[r].parent = groups[groups[r].parent].parent;
    return r;
}

static void group_requests(const struct solver *solver, struct group *groups)
{
    for (size_t from = 0, to; from < solver->edges.count; from = to) {
        uint32_t first = NONE;

        to = edges_of(solver, from);
        for (size_t i = from; i < to; i++) {
            const struct edge *edge = edge_at(solver, i);

            if (edge->state != EDGE_SHARED)
                continue;
            if (first != NONE)
                groups[root_of(groups, edge->request)].parent = root_of(groups, first);
            first = edge->request;
            groups[edge->request].member = true;
        }
    }
}

static void count_groups(const struct solver *solver, struct group *groups)
{
    uint32_t last = NONE;

    for (uint32_t r = 0; r < solver->gateway->requests.count; r++) {
        struct group *root = &groups[root_of(groups, r)];

        if (!groups[r].member)
            continue;
        root->members++;
        root->failed += gateway_request(solver->gateway, r)->failed;
    }
    for (size_t i = 0; i < solver->edges.count; i++) {
        const struct edge *edge = edge_at(solver, i);

        if (edge->state != EDGE_SHARED || edge->death == last)
            continue;
        groups[root_of(groups, edge->request)].suspects++;
        last = edge->death;
    }
}

static void tie(struct gateway *gateway, const struct edge *edge, enum gateway_join join)
{
    struct request *request = gateway_request(gateway, edge->request);

    if (request->death_count == 0 || join > request->join)
        request->join = join;
    if (request->death_count < DEATHS_MAX)
        request->deaths[request->death_count++] = edge->death;
    request->wanted = true;
    gateway_death(gateway, edge->death)->tied = true;
}

/* Of requests that went well no more are shown than workers died: the others are only similar. */
static bool is_shown(struct gateway *gateway, struct group *root, const struct edge *edge)
{
    const struct request *request = gateway_request(gateway, edge->request);

    if (request->failed || request->death_count > 0)
        return true;
    if (root->failed + root->shown >= root->suspects)
        return false;
    root->shown++;
    return true;
}

/* Write the result into the requests; members of a group name its size. */
static void commit(struct solver *solver, struct group *groups)
{
    for (uint32_t r = 0; r < solver->gateway->requests.count; r++)
        groups[r].parent = r;
    group_requests(solver, groups);
    count_groups(solver, groups);
    for (size_t i = 0; i < solver->edges.count; i++) {
        const struct edge *edge = edge_at(solver, i);
        struct group *root = &groups[root_of(groups, edge->request)];

        if (edge->state == EDGE_SETTLED) {
            tie(solver->gateway, edge, edge->match == MATCH_EXACT ? JOIN_EXACT : JOIN_STRONG);
        } else if (edge->state == EDGE_SHARED && is_shown(solver->gateway, root, edge)) {
            gateway_request(solver->gateway, edge->request)->candidates = (int) root->members;
            gateway_request(solver->gateway, edge->request)->suspects = (int) root->suspects;
            tie(solver->gateway, edge, JOIN_AMBIGUOUS);
        }
    }
}

static void solve(struct solver *solver)
{
    size_t count = solver->gateway->requests.count + 1;
    struct group *groups = calloc(count, sizeof *groups);

    solver->taken = calloc(count, sizeof *solver->taken);
    solver->death_counts = calloc(count, sizeof *solver->death_counts);
    if (groups && solver->taken && solver->death_counts) {
        drop_unusual(solver);
        settle(solver);
        for (int round = 0; round < DOUBTS_MAX && doubt(solver); round++)
            settle(solver);
        commit(solver, groups);
    }
    free(groups);
    free(solver->taken);
    free(solver->death_counts);
}

void join_deaths(struct gateway *gateway)
{
    struct solver solver = {.gateway = gateway};

    array_init(&solver.edges, sizeof(struct edge), EDGES_MAX);
    for (uint32_t d = 0; d < gateway->deaths.count; d++)
        find_edges(&solver, d);
    gateway->report.dropped += solver.edges.refused;
    solve(&solver);
    array_release(&solver.edges);
}
