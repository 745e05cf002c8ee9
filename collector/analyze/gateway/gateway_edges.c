/*
 * gateway_edges.c - which pairs of a dead worker and a request are possible, and which of them the
 * usual timing of this host speaks against.
 */
#include "analyze/gateway/gateway_edges.h"

#include <stddef.h>
#include <stdlib.h>

enum {
    REACH_US = 62 * SECOND_US, /* after a death (gateway_match.c, CORE_US) */
    EDGES_PER_DEATH = 256,
    EDGES_MAX = 1 << 22,
    SAMPLES_FEW = 4,        /* fewer deaths measure nothing */
    SAMPLES_MANY = 30,      /* so many measure well */
    USUAL_MIN_US = 80000,   /* no host is known better than that */
    UNUSUAL_US = SECOND_US, /* where nothing was measured */
};

size_t edges_of(const struct array *edges, size_t from)
{
    uint32_t death = edge_at(edges, from)->death;
    size_t to = from;

    while (to < edges->count && edge_at(edges, to)->death == death)
        to++;
    return to;
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
static void keep_best(const struct gateway *gateway, struct array *edges, size_t from)
{
    int best = 0;
    size_t kept = from;

    for (size_t i = from; i < edges->count; i++) {
        int rank = rank_of(gateway, edge_at(edges, i));

        best = rank > best ? rank : best;
    }
    for (size_t i = from; i < edges->count; i++) {
        const struct edge edge = *edge_at(edges, i);

        if (rank_of(gateway, &edge) == best)
            *edge_at(edges, kept++) = edge;
    }
    edges->count = kept;
}

static void find_edges(const struct gateway *gateway, struct array *edges, uint32_t d)
{
    const struct death *death = gateway_death(gateway, d);
    size_t from = edges->count;
    int64_t since_us =
        death->from_events && death->request.method ? death->request.begin_us : death->time_us;

    for (size_t i = array_first_from(&gateway->requests, offsetof(struct request, end_us),
                                     since_us - 3 * SECOND_US);
         i < gateway->requests.count && edges->count - from < EDGES_PER_DEATH; i++) {
        const struct request *request = gateway_request(gateway, i);

        if (request->end_us > death->time_us + REACH_US)
            break;
        int64_t excess_us = 0;
        enum match match = match_death(gateway, death, request, &excess_us);

        if (death->cause == DEATH_LOST && !match_looks_reset(gateway, request))
            continue; /* nothing says that it died, unless this request does */
        struct edge *edge = match == MATCH_NO ? NULL : array_add(edges);

        if (edge)
            *edge = (struct edge){
                .death = d, .request = (uint32_t) i, .match = match, .excess_us = excess_us};
    }
    keep_best(gateway, edges, from);
}

void edges_find(struct gateway *gateway, struct array *ret_edges)
{
    array_init(ret_edges, sizeof(struct edge), EDGES_MAX);
    for (uint32_t d = 0; d < gateway->deaths.count; d++)
        find_edges(gateway, ret_edges, d);
    gateway->report.dropped += ret_edges->refused;
}

/* How many edges lead to each request (or more than one can count); NULL without memory. */
static uint8_t *count_edges(const struct gateway *gateway, const struct array *edges)
{
    uint8_t *counts = calloc(gateway->requests.count + 1, sizeof *counts);

    for (size_t i = 0; counts && i < edges->count; i++)
        if (counts[edge_at(edges, i)->request] < UINT8_MAX)
            counts[edge_at(edges, i)->request]++;
    return counts;
}

/*
 * How long requests stay outside of PHP on this host, in these minutes: measured on the deaths that
 * can belong to one request only: three times the longest of many, four times that of few.
 */
static int64_t usual_excess_us(const struct gateway *gateway, const struct array *edges)
{
    int64_t longest_us = 0;
    int n = 0;
    uint8_t *counts = count_edges(gateway, edges);

    for (size_t from = 0, to; counts && from < edges->count; from = to) {
        const struct edge *edge = edge_at(edges, from);

        to = edges_of(edges, from);
        if (to - from > 1 || counts[edge->request] > 1 || edge->excess_us == INT64_MAX ||
            !gateway_death(gateway, edge->death)->from_events)
            continue;
        longest_us = edge->excess_us > longest_us ? edge->excess_us : longest_us;
        n++;
    }
    free(counts);
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

void edges_drop_unusual(const struct gateway *gateway, struct array *edges)
{
    int64_t usual_us = usual_excess_us(gateway, edges);

    for (size_t from = 0, to; from < edges->count; from = to) {
        bool usual = false;

        to = edges_of(edges, from);
        for (size_t i = from; i < to; i++)
            usual |= edge_at(edges, i)->excess_us <= usual_us;
        for (size_t i = from; i < to; i++)
            edge_at(edges, i)->dropped = (usual && edge_at(edges, i)->excess_us > usual_us) ||
                                         is_far_fetched(gateway, edge_at(edges, i), usual_us);
    }
}
