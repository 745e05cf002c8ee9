/*
 * route_wish.h - which requests a wish is about: the same few lines on both sides of the page.
 *
 * A wish names the first bytes of a path by a hash, so that it fits into the page and a worker
 * compares one number per request.  The path is what stands before `?` in the request's URI, as the
 * client sent it; RECORDER_WISH_WHOLE_PATH asks that it ends where the hashed bytes end.
 *
 * Pure, no memory, no system calls.
 */
#ifndef FPMSCOPE_ROUTE_WISH_H
#define FPMSCOPE_ROUTE_WISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fpmscope/recorder.h"

/* Bytes of `uri` before its query string. */
static inline size_t route_wish_path_bytes(const char *uri, size_t len_bytes)
{
    const char *mark = len_bytes > 0 ? (const char *) memchr(uri, '?', len_bytes) : NULL;

    return mark ? (size_t) (mark - uri) : len_bytes;
}

/* FNV-1a, 64 bits; never 0, which is no route at all. */
static inline uint64_t route_wish_hash(const char *path, size_t len_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < len_bytes; i++)
        hash = (hash ^ (uint8_t) path[i]) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

/* Is the request `uri` one that `wishes` are about?  False when they name no route. */
static inline bool route_wish_is_about(const struct recorder_wishes *wishes, const char *uri,
                                       size_t len_bytes)
{
    size_t path_bytes;

    if (wishes->route_hash == 0) /* nearly always: it must cost nothing */
        return false;
    path_bytes = route_wish_path_bytes(uri, len_bytes);
    if (wishes->route_bytes > path_bytes ||
        ((wishes->flags & RECORDER_WISH_WHOLE_PATH) && wishes->route_bytes != path_bytes))
        return false;
    return route_wish_hash(uri, wishes->route_bytes) == wishes->route_hash;
}

#endif
