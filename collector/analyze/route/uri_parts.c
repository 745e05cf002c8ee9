/* uri_parts.c - cut a URI at its first "://", "@", "/", "?" and "#", in that order. */
#include "analyze/route/uri_parts.h"

#include <stdint.h>

/* Bytes of "http://" at the start: letters, then "://".  0 when there is none. */
static size_t scheme_length(struct slice uri)
{
    size_t n = 0;

    while (n < uri.len_bytes &&
           ((uri.ptr[n] >= 'a' && uri.ptr[n] <= 'z') || (uri.ptr[n] >= 'A' && uri.ptr[n] <= 'Z')))
        n++;
    return n > 0 && slice_starts(slice_skip(uri, n), SLICE("://")) ? n + 3 : 0;
}

/* Bytes before the first of `stops`. */
static size_t length_until(struct slice text, struct slice stops)
{
    size_t n = 0;

    while (n < text.len_bytes && !memchr(stops.ptr, text.ptr[n], stops.len_bytes))
        n++;
    return n;
}

static void split_authority(struct slice authority, struct uri_parts *parts)
{
    const char *at = authority.len_bytes > 0
                         ? (const char *) memrchr(authority.ptr, '@', authority.len_bytes)
                         : NULL;

    if (at) {
        parts->userinfo = slice_head(authority, (size_t) (at - authority.ptr));
        authority = slice_skip(authority, parts->userinfo.len_bytes + 1);
    }
    parts->host = authority;
}

struct uri_parts uri_split(struct slice uri)
{
    struct uri_parts parts = {.scheme = slice_head(uri, scheme_length(uri))};

    uri = slice_skip(uri, parts.scheme.len_bytes);
    if (parts.scheme.len_bytes > 0) {
        const size_t n = length_until(uri, SLICE("/?#"));

        split_authority(slice_head(uri, n), &parts);
        uri = slice_skip(uri, n);
    }
    parts.path = slice_head(uri, length_until(uri, SLICE("?#")));
    parts.rest = slice_skip(uri, parts.path.len_bytes);
    return parts;
}
