/* uri_hash.c - XXH3 of what the client sent. */
#include "model/uri_hash.h"

#include <xxhash.h>

int64_t uri_hash(struct slice uri)
{
    if (uri.len_bytes == 0)
        return 0;
    uri = slice_head(uri, URI_HASH_MAX_BYTES);
    return (int64_t) (XXH3_64bits(uri.ptr, uri.len_bytes) >> 11);
}

int64_t uri_hash_of_log(const struct log_event *event)
{
    struct slice uri = {0};

    if (event->kind == LOG_ACCESS && !event->access.uri_rewritten)
        uri = event->access.uri;
    else if (event->kind == LOG_NGINX_ERROR)
        uri = event->nginx.uri;
    return slice_find(uri, SLICE("=*")) >= 0 ? 0 : uri_hash(uri);
}
