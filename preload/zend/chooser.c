/* chooser.c - see chooser.h. */
#include "zend/chooser.h"

#include "base/ppm.h"
#include "banned.h"

enum { COST_NEW = 1, COST_KNOWN = 4 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* FNV-1a, 64 bits; a run of digits counts as one '0'. */
uint64_t chooser_hash(const char *uri, size_t len_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    bool after_digit = false;

    for (size_t i = 0; i < len_bytes && uri[i] != '?' && uri[i] != '#'; i++) {
        const bool digit = is_digit(uri[i]);

        if (!(digit && after_digit))
            hash = (hash ^ (digit ? '0' : (uint8_t) uri[i])) * UINT64_C(0x100000001b3);
        after_digit = digit;
    }
    return hash != 0 ? hash : 1;
}

static struct chooser_route *row_of(struct chooser *chooser, uint64_t hash)
{
    return chooser->routes[(hash >> 32) % CHOOSER_ROWS];
}

static struct chooser_route *find(struct chooser *chooser, uint64_t hash)
{
    struct chooser_route *row = row_of(chooser, hash);

    for (int i = 0; i < CHOOSER_WAYS; i++)
        if (row[i].hash == hash)
            return &row[i];
    return NULL;
}

/* The place of the lightest route, which is forgotten. */
static struct chooser_route *find_or_replace(struct chooser *chooser, uint64_t hash)
{
    struct chooser_route *row = row_of(chooser, hash), *lightest = row;
    struct chooser_route *known = find(chooser, hash);

    if (known)
        return known;
    for (int i = 1; i < CHOOSER_WAYS; i++)
        if (row[i].peak_kib < lightest->peak_kib)
            lightest = &row[i];
    *lightest = (struct chooser_route){.hash = hash};
    return lightest;
}

static int64_t price_of(const struct chooser *chooser, const struct chooser_route *route)
{
    if (route && route->peak_kib >= CHOOSER_HEAVY_KIB)
        return 0;
    return chooser->cost_ns * (!route || route->armed == 0 ? COST_NEW : COST_KNOWN);
}

bool chooser_wants(struct chooser *chooser, const char *uri, size_t len_bytes,
                   uint32_t *ret_peak_kib)
{
    const struct chooser_route *route;

    if (chooser_is_broke(chooser))
        return false;
    route = find(chooser, chooser_hash(uri, len_bytes));
    *ret_peak_kib = route ? route->peak_kib : 0;
    return chooser->budget_ppm >= CHOOSER_ALWAYS_PPM ||
           chooser->purse_ns >= price_of(chooser, route);
}

void chooser_learn(struct chooser *chooser, const char *uri, size_t len_bytes, uint32_t peak_kib,
                   bool was_armed)
{
    struct chooser_route *route = find_or_replace(chooser, chooser_hash(uri, len_bytes));

    /* Slowly down, at once up: a route is as heavy as its heavy requests. */
    route->peak_kib = peak_kib > route->peak_kib ? peak_kib : (route->peak_kib * 3 + peak_kib) / 4;
    route->armed += was_armed;
}

void chooser_spend(struct chooser *chooser, int64_t cost_ns)
{
    chooser->cost_ns =
        chooser->cost_ns == 0 ? cost_ns : chooser->cost_ns + (cost_ns - chooser->cost_ns) / 4;
    if (chooser->budget_ppm < CHOOSER_ALWAYS_PPM)
        chooser->purse_ns -= cost_ns;
}

void chooser_earn(struct chooser *chooser, uint64_t cpu_ns)
{
    const int64_t most_ns = chooser->cost_ns * CHOOSER_PURSE_MAX;

    chooser->purse_ns += (int64_t) ppm_of(cpu_ns, chooser->budget_ppm);
    if (chooser->purse_ns > most_ns)
        chooser->purse_ns = most_ns;
}
