/*
 * nginx_config.h - what an nginx configuration says about its logs and about php-fpm: where they
 * are, in which formats, and whether a request has an id that php-fpm is told.
 */
#ifndef FPMSCOPE_LOGS_NGINX_CONFIG_H
#define FPMSCOPE_LOGS_NGINX_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
    NGINX_ITEMS_MAX = 512, /* of each kind; further ones are counted as skipped */
    NGINX_TEXT_BYTES = 2048,
    NGINX_STRINGS_BYTES = 256 << 10, /* of all texts together; the same */
};

struct nginx_access_log {
    const char *path;    /* may be relative to nginx's prefix; may hold $variables */
    const char *format;  /* the name of a log_format; "combined" when none is given */
    bool gzip, buffered; /* written packed; lines come late */
    bool conditional;    /* if=: not every request is there */
    bool is_variable;    /* $host in the path */
    bool is_syslog;
};

struct nginx_log_format {
    const char *name;
    const char *text; /* for access_format_compile(), its escape= in front */
};

struct nginx_error_log {
    const char *path;
    const char *level; /* "error" when none is given */
    bool is_syslog;    /* also memory: and stderr */
};

/* A block with fastcgi_pass. */
struct nginx_fastcgi {
    const char *pass;      /* unix:/run/php/fpm.sock, 127.0.0.1:9000, an upstream's name */
    const char *where;     /* FILE:LINE of the fastcgi_pass */
    bool has_request_id;   /* a fastcgi_param with a request id holds here */
    bool hides_request_id; /* it would, but a fastcgi_param of the block itself hides the outer ones
                            */
};

/* An http hop: towards Varnish, or another server. */
struct nginx_proxy {
    const char *pass, *where;
};

struct nginx_config {
    struct nginx_access_log *access_logs; /* each (path, format) once; `off` is left out */
    struct nginx_log_format *formats;
    struct nginx_error_log *error_logs;
    struct nginx_fastcgi *fastcgi;
    struct nginx_proxy *proxies;
    size_t access_logs_count, formats_count, error_logs_count, fastcgi_count, proxies_count;
    char *strings; /* where all texts are */
    size_t strings_used_bytes;
    int64_t skipped;          /* items above the ceilings */
    int64_t missing_includes; /* files that the text does not hold */
    bool broken;              /* the text ends early or its braces do not match */
};

/*
 * Read `text`: the output of `nginx -T`, or one configuration file.  0 or -ENOMEM; with anything
 * written the config has to be released, also after an error.  Pure.
 */
int nginx_config_parse(struct slice text, struct nginx_config *ret_config);

void nginx_config_release(struct nginx_config *config);

/* The text of the log_format called `name`, or NULL ("combined" is built in, unless redefined). */
const char *nginx_config_format(const struct nginx_config *config, const char *name);

#endif
