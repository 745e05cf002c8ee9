/*
 * bench_request.h - the request that the workers of the benches report: a product page of a shop,
 * with the texts that a web server sends.
 */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include <string.h>

#include "fpmscope/wire.h"

static inline wire_str bench_text(const char *string)
{
    return (wire_str){.ptr = string, .len_bytes = (uint16_t) strlen(string)};
}

/* Without its times and counters. */
static inline struct wire_request bench_request(uint64_t seq)
{
    return (struct wire_request){
        .seq = seq,
        .status = 200,
        .zend_peak_bytes = 20 << 20,
        .method = bench_text("GET"),
        .uri = bench_text("/catalog/product/view/id/4711?utm_source=newsletter"),
        .document_uri = bench_text("/index.php"),
        .host = bench_text("www.voorbeeldshop.nl"),
        .port = bench_text("443"),
        .remote_addr = bench_text("2a02:a44f:1:2::5"),
        .user_agent = bench_text("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        .request_id = bench_text("4ae98a05d4dbb231bded9d7d52c29408"),
    };
}

#endif
