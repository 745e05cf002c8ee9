/*
 * nginx_hops.h - where an nginx configuration hands requests on, and what holds there: buffers for
 * headers, time-outs, the request id that the next one is told.
 *
 * Settings are inherited as nginx does it: the innermost block that says something wins, lists of
 * fastcgi_param and proxy_set_header as a whole.
 */
#ifndef FPMSCOPE_LOGS_NGINX_HOPS_H
#define FPMSCOPE_LOGS_NGINX_HOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { NGINX_HOPS_MAX = 512, NGINX_HOP_TEXT_BYTES = 256, NGINX_UPSTREAM_ADDRESSES_MAX = 512 };

struct nginx_hop {
    bool fastcgi;                              /* fastcgi_pass; else proxy_pass */
    char pass[NGINX_HOP_TEXT_BYTES];           /* as written */
    char address[NGINX_HOP_TEXT_BYTES];        /* host:port; of an upstream its first server */
    char where[NGINX_HOP_TEXT_BYTES];          /* FILE:LINE */
    char server[NGINX_HOP_TEXT_BYTES];         /* the first server_name; "" */
    bool has_request_id;                       /* the next one is told */
    bool hides_request_id;                     /* would be, but for a param of a block further in */
    int64_t buffer_size_bytes, read_timeout_s; /* nginx's default where nothing is said */
};

struct nginx_hops {
    struct nginx_hop *items;
    size_t count;
    int64_t skipped; /* above the ceilings */
    bool broken;     /* the text ends early or its braces do not match */
};

/* Read what `nginx -T` prints, or one file.  0 or -ENOMEM; release it in both cases.  Pure. */
int nginx_hops_parse(struct slice text, struct nginx_hops *ret_hops);
void nginx_hops_release(struct nginx_hops *hops);

#endif
