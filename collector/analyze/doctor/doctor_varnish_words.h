/* doctor_varnish_words.h - backends and listeners in varnishd's command line and VCL.  Pure. */
#ifndef FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_VARNISH_WORDS_H
#define FPMSCOPE_ANALYZE_DOCTOR_DOCTOR_VARNISH_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { VARNISH_HOST_BYTES = 128 };

/* A host and a port; "" and 0 where they are not said. */
struct varnish_address {
    char host[VARNISH_HOST_BYTES];
    int port;
};

/* "127.0.0.1:8080", "[::1]:8080", "localhost", ":6081", "http=:6081,HTTP"; false: none of these. */
bool varnish_parse_address(struct slice text, struct varnish_address *ret_address);

/* The next -a of a command line (words separated by NUL or blank); false: no more. */
bool varnish_next_listener(struct slice *rest, struct varnish_address *ret_address);

/* The next `backend NAME { .host = "x"; .port = "y"; }` of a VCL text, comments passed over. */
bool varnish_next_backend(struct slice *rest, struct varnish_address *ret_address);

/* A number of bytes as parameters are given: "32k", "64K", "8192"; -1. */
int64_t varnish_parse_bytes(struct slice text);

/* The value of `-p NAME=VALUE` in a command line; empty: not given. */
struct slice varnish_parameter(struct slice command_line, const char *name);

#endif
