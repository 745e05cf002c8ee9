/*
 * route.h - from a request URI to the route that it belongs to.
 *
 *   /catalog/product/view/id/4711/?q=blue        ->  /catalog/product/view/id/{id}/
 *   /rest/V1/carts/8a0f...c3/items               ->  /rest/V1/carts/{hash}/items
 *   /checkout/cart/add/uenc/aHR0cHM6.../         ->  /checkout/cart/add/uenc/{base64}/
 *   /index.php/customer//account/./login         ->  /customer/account/login
 *   /wp-admin/admin-ajax.php?action=beat&x=1     ->  /wp-admin/admin-ajax.php?action=beat
 *
 * Rules, in this order: scheme and host of an absolute URI are dropped; query (but for a parameter
 * that names the page, uri_dispatch.h), fragment and
 * `;parameters` are dropped; `//`, `/./` and `/../` are resolved (never above the root); a leading
 * `index.php` is dropped when something follows; segments are percent-decoded one by one (%2F never
 * splits) and replaced when they are values (segment.h) or follow a name whose next segment is
 * always one (route_keys.def).  A value's extension stays: /4711.html -> /{id}.html.
 * A trailing slash is kept: `/a` and `/a/` are two routes, because they may be two scripts.
 *
 * Pure; any bytes are accepted; the result is printable UTF-8, begins with `/` (but for `*`), and
 * a `{` of the URI itself is written %7B, so that a placeholder cannot be forged.
 */
#ifndef FPMSCOPE_ANALYZE_ROUTE_ROUTE_H
#define FPMSCOPE_ANALYZE_ROUTE_ROUTE_H

#include <stddef.h>

#include "base/slice.h"

enum {
    ROUTE_MAX_BYTES = 512,   /* of a template with its NUL; a longer one ends in /{...} */
    ROUTE_MAX_SEGMENTS = 24, /* deeper ones end in /{...} */
};

/* A template, NUL-terminated. */
struct route {
    char text[ROUTE_MAX_BYTES];
    size_t len_bytes;
};

void route_of_uri(struct slice uri, struct route *ret_route);

static inline struct slice route_slice(const struct route *route)
{
    return (struct slice){.ptr = route->text, .len_bytes = route->len_bytes};
}

#endif
