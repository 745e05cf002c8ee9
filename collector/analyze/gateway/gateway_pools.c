/*
 * gateway_pools.c - which pool a request that no worker ever saw would have gone to: the one that
 * serves its host and port otherwise.  nginx knows, but its logs name a socket, not a pool.
 */
#include <stddef.h>

#include "analyze/gateway/gateway_parts.h"

enum {
    AROUND_US = 600 * SECOND_US, /* a configuration holds for so long */
    LOOKED_AT_MAX = 4000,        /* requests of a busy host; any of them will do */
};

/* Several pools for one host: nobody knows which (by location, by weight). */
static text_id pool_of_likes(const struct gateway *gateway, const struct hop *hop)
{
    text_id found = 0;
    int looked_at = 0;

    for (size_t i = array_first_from(&gateway->served, offsetof(struct served, begin_us),
                                     hop->end_us - AROUND_US);
         i < gateway->served.count && looked_at < LOOKED_AT_MAX; i++, looked_at++) {
        const struct served *served = GATEWAY_AT(gateway, served, served, i);

        if (served->begin_us > hop->end_us + AROUND_US)
            break;
        if (!served->pool || !gateway_same_or_unknown(served->host, hop->host) ||
            !gateway_same_or_unknown(served->port, hop->port))
            continue;
        if (found && found != served->pool)
            return 0;
        found = served->pool;
    }
    return found;
}

text_id pool_of_request(const struct gateway *gateway, const struct request *request)
{
    const struct hop *inner = request_hop(gateway, request, 0);

    if (request->served != NONE)
        return GATEWAY_AT(gateway, served, served, request->served)->pool;
    for (int i = 0; i < request->death_count; i++) {
        const struct death *death = gateway_death(gateway, request->deaths[i]);

        if (death->pool)
            return death->pool;
    }
    return inner->proxied ? 0 : pool_of_likes(gateway, inner);
}
