/*
 * gateway_groups.c - the edges' states into the requests.  Where several requests share several
 * deaths nobody knows whose is whose: they form a group, and each row says among how many.
 */
#include <stdlib.h>

#include "analyze/gateway/gateway_edges.h"

/* Requests that share deaths: a set of a union-find. */
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

static void group_requests(const struct array *edges, struct group *groups)
{
    for (size_t from = 0, to; from < edges->count; from = to) {
        uint32_t first = NONE;

        to = edges_of(edges, from);
        for (size_t i = from; i < to; i++) {
            const struct edge *edge = edge_at(edges, i);

            if (edge->state != EDGE_SHARED)
                continue;
            if (first != NONE)
                groups[root_of(groups, edge->request)].parent = root_of(groups, first);
            first = edge->request;
            groups[edge->request].member = true;
        }
    }
}

static void count_groups(const struct gateway *gateway, const struct array *edges,
                         struct group *groups)
{
    uint32_t last = NONE;

    for (uint32_t r = 0; r < gateway->requests.count; r++) {
        struct group *root = &groups[root_of(groups, r)];

        if (!groups[r].member)
            continue;
        root->members++;
        root->failed += gateway_request(gateway, r)->failed;
    }
    for (size_t i = 0; i < edges->count; i++) {
        const struct edge *edge = edge_at(edges, i);

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
static void commit(struct gateway *gateway, const struct array *edges, struct group *groups)
{
    for (uint32_t r = 0; r < gateway->requests.count; r++)
        groups[r].parent = r;
    group_requests(edges, groups);
    count_groups(gateway, edges, groups);
    for (size_t i = 0; i < edges->count; i++) {
        const struct edge *edge = edge_at(edges, i);
        struct group *root = &groups[root_of(groups, edge->request)];

        if (edge->state == EDGE_SETTLED) {
            tie(gateway, edge, edge->match == MATCH_EXACT ? JOIN_EXACT : JOIN_STRONG);
        } else if (edge->state == EDGE_SHARED && is_shown(gateway, root, edge)) {
            gateway_request(gateway, edge->request)->candidates = (int) root->members;
            gateway_request(gateway, edge->request)->suspects = (int) root->suspects;
            tie(gateway, edge, JOIN_AMBIGUOUS);
        }
    }
}

void groups_commit(struct gateway *gateway, const struct array *edges)
{
    struct group *groups = calloc(gateway->requests.count + 1, sizeof *groups);

    if (groups)
        commit(gateway, edges, groups);
    free(groups);
}
