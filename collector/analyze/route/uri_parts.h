/*
 * uri_parts.h - where the parts of a request URI begin.
 *
 *   http://user:pw@shop.example/a/b?q=1#top
 *   `-+--' `-+---' `----+-----' `+-' `-+--'
 *   scheme  userinfo   host    path   rest
 *
 * REQUEST_URI is nearly always only path and rest; proxies and scanners send the absolute form.
 * All parts are slices of the URI, empty when absent; together they are the URI, but for the `@`.
 */
#ifndef FPMSCOPE_ANALYZE_ROUTE_URI_PARTS_H
#define FPMSCOPE_ANALYZE_ROUTE_URI_PARTS_H

#include "base/slice.h"

struct uri_parts {
    struct slice scheme;   /* with its "://" */
    struct slice userinfo; /* without its "@" */
    struct slice host;     /* with its port */
    struct slice path;
    struct slice rest; /* begins with the first `?` or `#` */
};

/* Pure; any bytes are accepted. */
struct uri_parts uri_split(struct slice uri);

#endif
