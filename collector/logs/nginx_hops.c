/* nginx_hops.c - fastcgi_pass and proxy_pass with the settings of the blocks around them. */
#include "logs/nginx_hops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logs/nginx_walk.h"

enum { BLOCKS_MAX = 8192, HEADER_BUFFER_DEFAULT_BYTES = 4096, READ_TIMEOUT_DEFAULT_S = 60 };

/* Index 0 is fastcgi, 1 is proxy; -1: the block does not say. */
struct block {
    int parent;
    int64_t buffer_size_bytes[2], read_timeout_s[2];
    bool has_param[2], has_request_id[2];
    char server[NGINX_HOP_TEXT_BYTES];
    bool is_upstream;
    char upstream[NGINX_HOP_TEXT_BYTES];
};

struct upstream_server {
    char name[NGINX_HOP_TEXT_BYTES], address[NGINX_HOP_TEXT_BYTES];
};

struct builder {
    struct nginx_hops *hops;
    struct block *blocks;
    int blocks_count, depth;
    int open[NGINX_DEPTH_MAX + 1];
    int hop_blocks[NGINX_HOPS_MAX]; /* parallel to hops->items */
    struct upstream_server *upstreams;
    size_t upstreams_count;
};

static struct block *here(struct builder *builder)
{
    return &builder->blocks[builder->open[builder->depth]];
}

static void word_text(const struct nginx_directive *directive, size_t i, char *out)
{
    out[0] = '\0';
    if (i < directive->count)
        (void) nginx_word_text(&directive->words[i], out, NGINX_HOP_TEXT_BYTES);
}

/* A number in front of a unit, *at behind it; -1. */
static int64_t number_at(const char **at)
{
    char *end;
    const long long number = strtoll(*at, &end, 10);

    if (end == *at || number < 0 || number > (INT64_C(1) << 32))
        return -1;
    *at = end;
    return number;
}

/* "16k", "1m", "4096"; -1 for anything else. */
static int64_t bytes_of(const char *text)
{
    const int64_t number = number_at(&text);
    const int unit = *text | 32;

    if (number < 0 || (*text != '\0' && text[1] != '\0'))
        return -1;
    return *text == '\0' ? number : unit == 'k' ? number << 10 : unit == 'm' ? number << 20 : -1;
}

/* "60", "60s", "500ms", "1h 30m"; -1 for anything else. */
static int64_t seconds_of(const char *text)
{
    static const struct {
        const char *unit;
        int64_t seconds, parts;
    } units[] = {{"ms", 1, 1000}, {"s", 1, 1},      {"m", 60, 1},      {"h", 3600, 1},
                 {"d", 86400, 1}, {"w", 604800, 1}, {"M", 2592000, 1}, {"y", 31536000, 1}};
    int64_t seconds = 0;

    do {
        const int64_t number = number_at(&text);
        size_t i = 0;

        if (number < 0)
            return -1;
        if (*text == '\0')
            return seconds + number;
        while (i < sizeof units / sizeof *units &&
               strncmp(text, units[i].unit, strlen(units[i].unit)) != 0)
            i++;
        if (i == sizeof units / sizeof *units)
            return -1;
        seconds += number * units[i].seconds / units[i].parts;
        text += strlen(units[i].unit);
    } while (*text);
    return seconds;
}

static int kind_of(const struct nginx_directive *directive)
{
    return slice_starts(directive->words[0].raw, SLICE("proxy_"));
}

static void on_buffer_size(struct builder *builder, const struct nginx_directive *directive)
{
    char text[NGINX_HOP_TEXT_BYTES];

    word_text(directive, 1, text);
    here(builder)->buffer_size_bytes[kind_of(directive)] = bytes_of(text);
}

static void on_read_timeout(struct builder *builder, const struct nginx_directive *directive)
{
    char text[NGINX_HOP_TEXT_BYTES];

    word_text(directive, 1, text);
    here(builder)->read_timeout_s[kind_of(directive)] = seconds_of(text);
}

static void on_param(struct builder *builder, const struct nginx_directive *directive)
{
    static const char *const ids[] = {"REQUEST_ID",       "HTTP_X_REQUEST_ID", "UNIQUE_ID",
                                      "HTTP_TRACEPARENT", "X-Request-Id",      "traceparent"};
    const int kind = kind_of(directive);
    char name[NGINX_HOP_TEXT_BYTES];

    word_text(directive, 1, name);
    here(builder)->has_param[kind] = true;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        here(builder)->has_request_id[kind] |= strcasecmp(name, ids[i]) == 0;
}

static void on_server_name(struct builder *builder, const struct nginx_directive *directive)
{
    word_text(directive, 1, here(builder)->server);
}

static void on_pass(struct builder *builder, const struct nginx_directive *directive)
{
    struct nginx_hops *hops = builder->hops;
    struct nginx_hop *hop = &hops->items[hops->count];
    const struct slice file = slice_head(directive->file, NGINX_HOP_TEXT_BYTES - 16);

    if (directive->count < 2)
        return;
    if (hops->count == NGINX_HOPS_MAX) {
        hops->skipped++;
        return;
    }
    builder->hop_blocks[hops->count++] = builder->open[builder->depth];
    hop->fastcgi = kind_of(directive) == 0;
    word_text(directive, 1, hop->pass);
    snprintf(hop->where, sizeof hop->where, "%.*s:%d", (int) file.len_bytes,
             file.ptr ? file.ptr : "", directive->line);
}

/* server ADDRESS [parameters]; inside of upstream NAME { }. */
static void on_server(struct builder *builder, const struct nginx_directive *directive)
{
    const struct block *block = here(builder);

    if (!block->is_upstream || directive->count < 2)
        return;
    if (builder->upstreams_count == NGINX_UPSTREAM_ADDRESSES_MAX) {
        builder->hops->skipped++;
        return;
    }
    struct upstream_server *server = &builder->upstreams[builder->upstreams_count++];
    memcpy(server->name, block->upstream, sizeof server->name);
    word_text(directive, 1, server->address);
}

static const struct {
    const char *name;
    void (*handle)(struct builder *builder, const struct nginx_directive *directive);
} handlers[] = {
    {"fastcgi_pass", on_pass},
    {"proxy_pass", on_pass},
    {"fastcgi_buffer_size", on_buffer_size},
    {"proxy_buffer_size", on_buffer_size},
    {"fastcgi_read_timeout", on_read_timeout},
    {"proxy_read_timeout", on_read_timeout},
    {"fastcgi_param", on_param},
    {"proxy_set_header", on_param},
    {"server_name", on_server_name},
    {"server", on_server},
};

static void open_block(struct builder *builder, const struct nginx_directive *directive)
{
    const int parent = builder->open[builder->depth];

    builder->depth++;
    if (builder->blocks_count == BLOCKS_MAX) { /* shares its parent's settings */
        builder->open[builder->depth] = parent;
        builder->hops->skipped++;
        return;
    }
    struct block *block = &builder->blocks[builder->blocks_count];
    *block =
        (struct block){.parent = parent, .buffer_size_bytes = {-1, -1}, .read_timeout_s = {-1, -1}};
    block->is_upstream = nginx_word_is(&directive->words[0], "upstream");
    word_text(directive, 1, block->upstream);
    builder->open[builder->depth] = builder->blocks_count++;
}

static void on_directive(void *ctx, const struct nginx_directive *directive)
{
    struct builder *builder = ctx;

    if (directive->opens) {
        if (builder->depth < NGINX_DEPTH_MAX)
            open_block(builder, directive);
        return;
    }
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
        if (nginx_word_is(&directive->words[0], handlers[i].name))
            handlers[i].handle(builder, directive);
}

static void on_close(void *ctx, int depth)
{
    ((struct builder *) ctx)->depth = depth;
}

static void inherit(const struct builder *builder, struct nginx_hop *hop, int at)
{
    const int kind = !hop->fastcgi;
    bool params_decided = false;

    hop->buffer_size_bytes = hop->read_timeout_s = -1;
    for (; at >= 0; at = builder->blocks[at].parent) {
        const struct block *block = &builder->blocks[at];

        if (hop->buffer_size_bytes < 0)
            hop->buffer_size_bytes = block->buffer_size_bytes[kind];
        if (hop->read_timeout_s < 0)
            hop->read_timeout_s = block->read_timeout_s[kind];
        if (hop->server[0] == '\0')
            memcpy(hop->server, block->server, sizeof hop->server);
        if (params_decided)
            hop->hides_request_id |= block->has_request_id[kind] && !hop->has_request_id;
        else
            hop->has_request_id = block->has_request_id[kind];
        params_decided |= block->has_param[kind];
    }
    if (hop->buffer_size_bytes < 0)
        hop->buffer_size_bytes = HEADER_BUFFER_DEFAULT_BYTES;
    if (hop->read_timeout_s < 0)
        hop->read_timeout_s = READ_TIMEOUT_DEFAULT_S;
}

/* http://varnish/path -> varnish -> the first server of upstream varnish; else what was written. */
static void resolve_address(const struct builder *builder, struct nginx_hop *hop)
{
    const char *at = strstr(hop->pass, "://");
    size_t length;

    at = at ? at + 3 : hop->pass;
    length = strncmp(at, "unix:", 5) == 0 ? strlen(at) : strcspn(at, "/");
    memcpy(hop->address, at, length);
    hop->address[length] = '\0';
    for (size_t i = 0; i < builder->upstreams_count; i++) {
        if (strcmp(builder->upstreams[i].name, hop->address) == 0) {
            memcpy(hop->address, builder->upstreams[i].address, sizeof hop->address);
            return;
        }
    }
}

static void resolve(const struct builder *builder)
{
    for (size_t i = 0; i < builder->hops->count; i++) {
        inherit(builder, &builder->hops->items[i], builder->hop_blocks[i]);
        resolve_address(builder, &builder->hops->items[i]);
    }
}

int nginx_hops_parse(struct slice text, struct nginx_hops *ret_hops)
{
    struct builder *builder = calloc(1, sizeof *builder);
    const struct nginx_visitor visitor = {
        .on_directive = on_directive, .on_close = on_close, .ctx = builder};
    int r = -ENOMEM;

    *ret_hops = (struct nginx_hops){.items = calloc(NGINX_HOPS_MAX, sizeof *ret_hops->items)};
    if (!builder || !ret_hops->items)
        goto done;
    builder->hops = ret_hops;
    builder->blocks = calloc(BLOCKS_MAX, sizeof *builder->blocks);
    builder->upstreams = calloc(NGINX_UPSTREAM_ADDRESSES_MAX, sizeof *builder->upstreams);
    if (!builder->blocks || !builder->upstreams)
        goto done;
    builder->blocks[builder->blocks_count++] =
        (struct block){.parent = -1, .buffer_size_bytes = {-1, -1}, .read_timeout_s = {-1, -1}};
    ret_hops->broken = nginx_walk(text, &visitor).broken;
    resolve(builder);
    r = 0;
done:
    if (builder) {
        free(builder->blocks);
        free(builder->upstreams);
    }
    free(builder);
    return r;
}

void nginx_hops_release(struct nginx_hops *hops)
{
    free(hops->items);
    *hops = (struct nginx_hops){0};
}
