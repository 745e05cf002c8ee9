/*
 * gateway_edges.h - edges between dead workers and requests: who may have died in which request.
 * Private to gateway_edges.c (which there are), gateway_join.c (which hold) and gateway_groups.c
 * (what is left over).
 *
 * Edges of one death lie side by side in their array; death and request are indexes into the
 * engine's.
 */
#ifndef FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_EDGES_H
#define FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_EDGES_H

#include "analyze/gateway/gateway_parts.h"

struct edge {
    uint32_t death, request;
    enum match match;
    int64_t excess_us; /* time outside of PHP that it would mean */
    bool dropped;      /* a better-timed edge of the same death is believed instead */
    bool gone;         /* settled, or its request is taken */
    enum { EDGE_OPEN, EDGE_SETTLED, EDGE_SHARED } state;
};

static inline struct edge *edge_at(const struct array *edges, size_t i)
{
    return array_at(edges, i);
}

/* gateway_edges.c */

/* Every possible pair; each death keeps the edges of its best rank.  To be released. */
void edges_find(struct gateway *gateway, struct array *ret_edges);
/* The edges of the death that edge `from` belongs to are [from, return). */
size_t edges_of(const struct array *edges, size_t from);
/* Believe the edges of a death that cost the time that is usual on this host, when it has any. */
void edges_drop_unusual(const struct gateway *gateway, struct array *edges);

/* gateway_groups.c */

/* Write the edges' states into the requests; those that share deaths learn among how many. */
void groups_commit(struct gateway *gateway, const struct array *edges);

#endif
