/*
 * gateway_fold_blind.c - folding lines of a format that names neither handler nor port (combined).
 *
 * Equal lines of one second may be two hops of one request or two requests.  Others count for us:
 * nginx's error log has one entry per failed attempt, PHP began each request that reached it once,
 * Varnish has one transaction.  With L lines and R requests, L - R of them are second lines; these
 * are the neighbours in the file, the back's line just before the front's.
 *
 * When nobody counts, a host without a second hop must not lose half of its failures: then only
 * neighbours are folded, and only when most failures have such a neighbour; a note says so.
 */
#include <stddef.h>
#include <stdlib.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    CLUSTER_GAP_US = 2 * SECOND_US, /* lines further apart belong to different clusters */
    EDGE_US = 200000,               /* a witness may be off by this */
    LONGEST_US = 120 * SECOND_US,   /* requests that ran longer are not counted */
    NEIGHBOURS = 3,                 /* how many lines further a second line may stand, uncounted */
};

/* Lines about one URI without a gap: indexes [from, to) of the sorted list. */
struct cluster {
    const uint32_t *lines;
    size_t count;
    int64_t from_us, to_us;
    text_id method, uri;
};

/* One pass over all clusters. */
struct folding {
    bool neighbours_fold; /* where nobody counts */
    size_t guessed;       /* pairs that were folded so */
};

struct pairing {
    uint64_t cost;
    uint32_t inner, outer; /* positions in the cluster */
    bool certain;
};

static bool is_connect_failure(const struct fault *fault)
{
    return fault->cause == NGINX_CONNECT_ENOENT || fault->cause == NGINX_CONNECT_REFUSED ||
           fault->cause == NGINX_CONNECT_EAGAIN || fault->cause == NGINX_CONNECT_TIMEOUT ||
           fault->cause == NGINX_CONNECT_DENIED || fault->cause == NGINX_NO_LIVE ||
           fault->cause == NGINX_CONNECT_OTHER;
}

/* What the error log counts: refused by PHP, failed after PHP had begun, failed before a back
 * line could be written. */
struct fault_counts {
    int refused, broken, front;
};

static void count_faults(const struct gateway *gateway, const struct cluster *cluster,
                         struct fault_counts *counts)
{
    int64_t last_connection = -1;

    for (size_t i = array_first_from(&gateway->faults, offsetof(struct fault, time_us),
                                     cluster->from_us - SECOND_US);
         i < gateway->faults.count; i++) {
        const struct fault *fault = GATEWAY_AT(gateway, faults, fault, i);

        if (fault->time_us > cluster->to_us)
            break;
        if (fault->uri != cluster->uri || fault->method != cluster->method ||
            fault->cause == NGINX_STDERR || fault->cause == NGINX_OTHER)
            continue;
        counts->refused += fault->fastcgi && is_connect_failure(fault);
        counts->broken += fault->fastcgi && !is_connect_failure(fault);
        /* A second attempt of one request has the same connection number. */
        counts->front += !fault->fastcgi && !fault->after_header &&
                         fault->cause != NGINX_HEADER_TOO_BIG &&
                         fault->cause != NGINX_READ_TIMEOUT &&
                         (fault->connection < 0 || fault->connection != last_connection);
        last_connection = fault->connection;
    }
}

/* Requests that PHP began and that ended, for nginx, within the cluster. */
static int count_begun(const struct gateway *gateway, const struct cluster *cluster)
{
    int n = 0;

    for (size_t i = array_first_from(&gateway->served, offsetof(struct served, begin_us),
                                     cluster->from_us - LONGEST_US);
         i < gateway->served.count; i++) {
        const struct served *served = GATEWAY_AT(gateway, served, served, i);

        if (served->begin_us > cluster->to_us + EDGE_US)
            break;
        int64_t over_us = served->response_us >= 0 ? served->response_us : served->end_us;

        n += served->uri == cluster->uri && served->method == cluster->method &&
             served->begin_us <= cluster->to_us + EDGE_US &&
             over_us >= cluster->from_us - EDGE_US &&
             (over_us <= cluster->to_us + EDGE_US || served->write_errno);
    }
    for (size_t i = array_first_from(&gateway->deaths, offsetof(struct death, time_us),
                                     cluster->from_us - EDGE_US);
         i < gateway->deaths.count; i++) {
        const struct death *death = gateway_death(gateway, i);

        if (death->request.uri != cluster->uri || death->request.method != cluster->method)
            continue;
        const int64_t ended_us = death->cause == DEATH_LOST ? death->earliest_us : death->time_us;

        n += ended_us <= cluster->to_us + EDGE_US && ended_us >= cluster->from_us - CLUSTER_GAP_US;
    }
    return n;
}

/* Varnish could not reach its backend: there is no back line. */
static int count_unreached(const struct gateway *gateway, const struct cluster *cluster)
{
    int n = 0;

    for (size_t i = array_first_from(&gateway->fetches, offsetof(struct fetch, end_us),
                                     cluster->from_us - EDGE_US);
         i < gateway->fetches.count; i++) {
        const struct fetch *fetch = GATEWAY_AT(gateway, fetches, fetch, i);

        if (fetch->end_us > cluster->to_us + EDGE_US)
            break;
        n += fetch->backend_side && fetch->uri == cluster->uri &&
             fetch->method == cluster->method &&
             slice_find(gateway_text(gateway, fetch->error), SLICE("fail errno")) >= 0;
    }
    return n;
}

/* How many requests these lines stand for; -1 when nobody knows. */
static int requests_of(const struct gateway *gateway, const struct cluster *cluster)
{
    struct fault_counts faults = {0};
    int begun = count_begun(gateway, cluster), n;

    count_faults(gateway, cluster, &faults);
    n = faults.refused + faults.front + count_unreached(gateway, cluster) +
        (begun > faults.broken ? begun : faults.broken);
    return n > 0 ? n : -1;
}

static int compare_pairings(const void *a, const void *b)
{
    const struct pairing *x = a, *y = b;

    return x->cost < y->cost ? -1 : x->cost > y->cost;
}

/* The front failed and the back's client left in the same moment: that client is the front. */
static bool gave_up(const struct hop *outer, const struct hop *inner)
{
    return inner->status == 499 && outer->status >= 502 && outer->end_us == inner->end_us;
}

static uint64_t pair_cost(const struct hop *outer, const struct hop *inner)
{
    uint64_t misfit = hops_statuses_fit(outer, inner) ? 0 : UINT64_C(1) << 50;

    return misfit + (uint64_t) (outer->end_us - inner->end_us) * 1000 +
           (uint64_t) llabs(outer->ref.offset_bytes - inner->ref.offset_bytes);
}

/* Every pair that could be two hops; the cheapest are neighbours in one second and one file.
 * `apart_max`: in lines. */
static void list_pairings(const struct gateway *gateway, const struct cluster *cluster,
                          uint32_t apart_max, struct array *pairings)
{
    for (uint32_t i = 0; i < cluster->count; i++) {
        const struct hop *inner = gateway_hop(gateway, cluster->lines[i]);

        for (uint32_t o = i + 1; o < cluster->count && o <= i + 8; o++) {
            const struct hop *outer = gateway_hop(gateway, cluster->lines[o]);
            int64_t apart_us = outer->end_us - inner->end_us;

            if (apart_us > SECOND_US || outer->ref.file != inner->ref.file ||
                cluster->lines[o] - cluster->lines[i] > apart_max ||
                !hops_same_request(gateway, outer, inner))
                continue;
            struct pairing *pairing = array_add(pairings);

            if (pairing)
                *pairing = (struct pairing){pair_cost(outer, inner), i, o, gave_up(outer, inner)};
        }
    }
    array_sort(pairings, compare_pairings);
}

static void fold_cluster(struct gateway *gateway, struct folding *folding,
                         const struct cluster *cluster)
{
    struct array pairings;
    int requests = requests_of(gateway, cluster);
    size_t second_lines = folding->neighbours_fold ? cluster->count / 2 : 0;

    if (requests >= 0)
        second_lines = cluster->count > (size_t) requests ? cluster->count - (size_t) requests : 0;
    array_init(&pairings, sizeof(struct pairing), cluster->count * 8);
    list_pairings(gateway, cluster, requests >= 0 ? UINT32_MAX : NEIGHBOURS, &pairings);
    for (size_t i = 0; i < pairings.count; i++) {
        const struct pairing *pairing = array_at(&pairings, i);

        if (second_lines == 0 && !pairing->certain)
            continue;
        uint32_t inner = cluster->lines[pairing->inner], outer = cluster->lines[pairing->outer];

        if (gateway_hop(gateway, inner)->request != NONE ||
            gateway_hop(gateway, outer)->request != NONE)
            continue;
        hops_make_request(gateway, outer, inner);
        second_lines -= second_lines > 0;
        folding->guessed += requests < 0 && !pairing->certain;
    }
    array_release(&pairings);
}

static bool is_blind(const struct gateway *gateway, const struct hop *hop)
{
    if (hop->proxied || hop->handler || hop->port)
        return false;
    /* Without the workers' record nobody counts the requests that went well. */
    return (gateway->sources & SOURCE_EVENTS) || hop->status >= 500 || hop->status == 499;
}

struct blind_line {
    uint64_t key;
    uint32_t hop;
};

/* By URI; within one, hops are in order of time already. */
static int compare_blind(const void *a, const void *b)
{
    const struct blind_line *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->hop < y->hop ? -1 : x->hop > y->hop;
}

static bool has_twin(const struct gateway *gateway, size_t i)
{
    const struct hop *hop = gateway_hop(gateway, (uint32_t) i);

    for (size_t k = i > NEIGHBOURS ? i - NEIGHBOURS : 0;
         k <= i + NEIGHBOURS && k < gateway->hops.count; k++) {
        const struct hop *other = gateway_hop(gateway, (uint32_t) k);

        if (k != i && other->ref.file == hop->ref.file && is_blind(gateway, other) &&
            llabs(other->end_us - hop->end_us) <= SECOND_US &&
            hops_same_request(gateway, hop, other))
            return true;
    }
    return false;
}

/* A host that writes two lines for a failure shows it nearly everywhere. */
static bool most_have_twins(const struct gateway *gateway)
{
    size_t twins = 0, lines = 0;

    for (size_t i = 0; i < gateway->hops.count; i++)
        if (gateway_hop(gateway, (uint32_t) i)->status >= 500 &&
            is_blind(gateway, gateway_hop(gateway, (uint32_t) i))) {
            lines++;
            twins += has_twin(gateway, i);
        }
    return twins > lines / 2;
}

/* Cut a list of lines about one URI where there is a gap. */
static void fold_clusters(struct gateway *gateway, struct folding *folding,
                          const struct blind_line *lines, size_t count, uint32_t *ids)
{
    for (size_t from = 0, to; from < count; from = to) {
        const struct hop *first = gateway_hop(gateway, lines[from].hop);
        struct cluster cluster = {
            .lines = ids, .from_us = first->end_us, .method = first->method, .uri = first->uri};

        for (to = from; to < count; to++) {
            const struct hop *hop = gateway_hop(gateway, lines[to].hop);

            if (lines[to].key != lines[from].key ||
                (to > from && hop->end_us > cluster.to_us + CLUSTER_GAP_US - SECOND_US))
                break;
            cluster.to_us = hop->end_us + hop->precision_us;
            ids[cluster.count++] = lines[to].hop;
        }
        if (cluster.count > 1)
            fold_cluster(gateway, folding, &cluster);
    }
}

void fold_blind_lines(struct gateway *gateway)
{
    struct array lines;
    uint32_t *ids = calloc(gateway->hops.count + 1, sizeof *ids);
    struct folding folding = {.neighbours_fold = most_have_twins(gateway)};

    array_init(&lines, sizeof(struct blind_line), SIZE_MAX / 32);
    for (size_t i = 0; i < gateway->hops.count; i++) {
        const struct hop *hop = gateway_hop(gateway, (uint32_t) i);
        struct blind_line *line = is_blind(gateway, hop) ? array_add(&lines) : NULL;

        if (line)
            *line = (struct blind_line){(uint64_t) hop->method << 32 | hop->uri, (uint32_t) i};
    }
    array_sort(&lines, compare_blind);
    if (ids && lines.count > 0)
        fold_clusters(gateway, &folding, lines.items, lines.count, ids);
    if (folding.guessed > 0)
        gateway_note(gateway,
                     "%zu access lines were taken for the second line of the request beside them; "
                     "give nginx's error log too, it counts the requests",
                     folding.guessed);
    free(ids);
    array_release(&lines);
}
