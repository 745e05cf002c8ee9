/*
 * uri_dispatch.h - the one parameter of a query that is part of a page's name.
 *
 *   /wp-admin/admin-ajax.php?action=heartbeat&_nonce=3f9a    ->  action=heartbeat
 *   /?wc-ajax=get_refreshed_fragments                        ->  wc-ajax=get_refreshed_fragments
 *   /graphql?query=...&operationName=getProduct              ->  operationName=getProduct
 *   /index.php?route=checkout/cart&coupon=3f9a               ->  route=checkout/cart
 *
 * All AJAX of a shop would be one route without it.  The parameters are a table
 * (uri_dispatch.def); their value counts, and is shown by uri_mask.h, only when it looks like a
 * name in a program: letters first, few digits, nothing encoded, nothing that segment.h knows as a
 * value.  So a secret in such a place stays hidden.
 */
#ifndef FPMSCOPE_ANALYZE_ROUTE_URI_DISPATCH_H
#define FPMSCOPE_ANALYZE_ROUTE_URI_DISPATCH_H

#include <stdbool.h>

#include "base/slice.h"

/* Does `parameter` ("name=value") of a query behind `path` name the page?  Pure. */
bool uri_dispatch_names_page(struct slice path, struct slice parameter);

/* The first such parameter of `query` (without its `?`); empty when there is none.  Pure. */
struct slice uri_dispatch_find(struct slice path, struct slice query);

#endif
