/* nginx_config.c - logs, formats and FastCGI blocks out of an nginx configuration. */
#include "logs/nginx_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "logs/nginx_walk.h"
#include "logs/scan.h"

enum { BLOCKS_MAX = 8192 };

/* fastcgi_params are inherited from the outer block when the block itself has none. */
struct block {
    int parent; /* -1: none */
    bool has_param, has_request_id;
};

struct builder {
    struct nginx_config *config;
    struct block blocks[BLOCKS_MAX];
    int blocks_count;
    int open[NGINX_DEPTH_MAX + 1]; /* the block at each depth */
    int depth;
    int fastcgi_blocks[NGINX_ITEMS_MAX]; /* parallel to config->fastcgi */
};

typedef void (*directive_handler)(struct builder *builder, const struct nginx_directive *directive);

/* A copy among the config's strings; NULL when they are full. */
static const char *put_text(struct builder *builder, const char *text)
{
    struct nginx_config *config = builder->config;
    size_t size_bytes = strlen(text) + 1;
    char *copy = config->strings + config->strings_used_bytes;

    if (size_bytes > NGINX_STRINGS_BYTES - config->strings_used_bytes)
        return NULL;
    memcpy(copy, text, size_bytes);
    config->strings_used_bytes += size_bytes;
    return copy;
}

static const char *put_word(struct builder *builder, const struct nginx_word *word)
{
    char text[NGINX_TEXT_BYTES];

    (void) nginx_word_text(word, text, sizeof text);
    return put_text(builder, text);
}

/* FILE:LINE */
static const char *put_place(struct builder *builder, const struct nginx_directive *directive)
{
    char text[NGINX_TEXT_BYTES];
    struct slice file = slice_head(directive->file, NGINX_TEXT_BYTES / 2);

    snprintf(text, sizeof text, "%.*s:%d", (int) file.len_bytes, file.ptr ? file.ptr : "",
             directive->line);
    return put_text(builder, text);
}

/* There is a place in its array for an item whose texts are these; else it is counted. */
static bool fits(struct builder *builder, size_t count, const char *text, const char *other)
{
    if (count < NGINX_ITEMS_MAX && text && other)
        return true;
    builder->config->skipped++;
    return false;
}

static bool starts(const struct nginx_word *word, const char *prefix)
{
    return slice_starts(word->raw, slice_of(prefix));
}

static bool is_known_log(const struct nginx_config *config, const char *path, const char *format)
{
    for (size_t i = 0; i < config->access_logs_count; i++) {
        const struct nginx_access_log *log = &config->access_logs[i];

        if (strcmp(log->path, path) == 0 && strcmp(log->format, format) == 0)
            return true;
    }
    return false;
}

static void take_log_options(const struct nginx_directive *directive, struct nginx_access_log *log)
{
    for (size_t i = 2; i < directive->count; i++) {
        const struct nginx_word *word = &directive->words[i];

        log->gzip |= starts(word, "gzip");
        log->buffered |= starts(word, "gzip") || starts(word, "buffer=") || starts(word, "flush=");
        log->conditional |= starts(word, "if=");
    }
}

/* access_log PATH [FORMAT] [buffer=... gzip flush=... if=...]; */
static void on_access_log(struct builder *builder, const struct nginx_directive *directive)
{
    bool named = directive->count > 2 && slice_index(directive->words[2].raw, '=') < 0 &&
                 !nginx_word_is(&directive->words[2], "gzip");
    struct nginx_config *config = builder->config;
    struct nginx_access_log *log;
    const char *path, *format;

    if (directive->count < 2 || nginx_word_is(&directive->words[1], "off"))
        return;
    path = put_word(builder, &directive->words[1]);
    format = named ? put_word(builder, &directive->words[2]) : "combined";
    if (!fits(builder, config->access_logs_count, path, format) ||
        is_known_log(config, path, format))
        return;
    log = &config->access_logs[config->access_logs_count++];
    log->path = path;
    log->format = format;
    log->is_variable = strchr(path, '$') != NULL;
    log->is_syslog = starts(&directive->words[1], "syslog:");
    take_log_options(directive, log);
}

/* log_format NAME [escape=...] 'pieces' 'that are' 'put together'; */
static void on_log_format(struct builder *builder, const struct nginx_directive *directive)
{
    struct nginx_config *config = builder->config;
    char text[NGINX_TEXT_BYTES];
    const char *name, *copy;
    size_t used = 0;

    if (directive->count < 3)
        return;
    for (size_t i = 2; i < directive->count; i++) {
        used += nginx_word_text(&directive->words[i], text + used, sizeof text - used);
        if (i == 2 && starts(&directive->words[i], "escape=") && used + 1 < sizeof text)
            text[used++] = ' ';
    }
    text[used] = '\0';
    name = put_word(builder, &directive->words[1]);
    copy = put_text(builder, text);
    if (fits(builder, config->formats_count, name, copy))
        config->formats[config->formats_count++] =
            (struct nginx_log_format){.name = name, .text = copy};
}

/* error_log PATH [LEVEL]; */
static void on_error_log(struct builder *builder, const struct nginx_directive *directive)
{
    struct nginx_config *config = builder->config;
    const char *path, *level;

    if (directive->count < 2)
        return;
    path = put_word(builder, &directive->words[1]);
    level = directive->count > 2 ? put_word(builder, &directive->words[2]) : "error";
    if (!fits(builder, config->error_logs_count, path, level))
        return;
    config->error_logs[config->error_logs_count++] = (struct nginx_error_log){
        .path = path,
        .level = level,
        .is_syslog = starts(&directive->words[1], "syslog:") ||
                     starts(&directive->words[1], "memory:") ||
                     nginx_word_is(&directive->words[1], "stderr"),
    };
}

static void on_fastcgi_pass(struct builder *builder, const struct nginx_directive *directive)
{
    struct nginx_config *config = builder->config;
    const char *pass, *where;

    if (directive->count < 2)
        return;
    pass = put_word(builder, &directive->words[1]);
    where = put_place(builder, directive);
    if (!fits(builder, config->fastcgi_count, pass, where))
        return;
    builder->fastcgi_blocks[config->fastcgi_count] = builder->open[builder->depth];
    config->fastcgi[config->fastcgi_count++] = (struct nginx_fastcgi){.pass = pass, .where = where};
}

static void on_fastcgi_param(struct builder *builder, const struct nginx_directive *directive)
{
    static const char *const ids[] = {"REQUEST_ID", "HTTP_X_REQUEST_ID", "UNIQUE_ID",
                                      "HTTP_TRACEPARENT"};
    struct block *block = &builder->blocks[builder->open[builder->depth]];

    if (directive->count < 3)
        return;
    block->has_param = true;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        block->has_request_id |= nginx_word_is(&directive->words[1], ids[i]);
}

static void on_proxy_pass(struct builder *builder, const struct nginx_directive *directive)
{
    struct nginx_config *config = builder->config;
    const char *pass, *where;

    if (directive->count < 2)
        return;
    pass = put_word(builder, &directive->words[1]);
    where = put_place(builder, directive);
    if (fits(builder, config->proxies_count, pass, where))
        config->proxies[config->proxies_count++] =
            (struct nginx_proxy){.pass = pass, .where = where};
}

static const struct {
    const char *name;
    directive_handler handle;
} handlers[] = {
    {"access_log", on_access_log},       {"log_format", on_log_format},
    {"error_log", on_error_log},         {"fastcgi_pass", on_fastcgi_pass},
    {"fastcgi_param", on_fastcgi_param}, {"proxy_pass", on_proxy_pass},
};

static void open_block(struct builder *builder)
{
    int parent = builder->open[builder->depth];

    builder->depth++;
    if (builder->blocks_count == BLOCKS_MAX) { /* shares its parent's settings */
        builder->open[builder->depth] = parent;
        return;
    }
    builder->blocks[builder->blocks_count] = (struct block){.parent = parent};
    builder->open[builder->depth] = builder->blocks_count++;
}

static void on_directive(void *ctx, const struct nginx_directive *directive)
{
    struct builder *builder = ctx;

    for (size_t i = 0; !directive->opens && i < sizeof handlers / sizeof handlers[0]; i++) {
        if (nginx_word_is(&directive->words[0], handlers[i].name))
            handlers[i].handle(builder, directive);
    }
    if (directive->opens && builder->depth < NGINX_DEPTH_MAX)
        open_block(builder);
}

static void on_close(void *ctx, int depth)
{
    ((struct builder *) ctx)->depth = depth;
}

/* Only when everything has been read: an outer block may say more behind the inner one. */
static void resolve_request_ids(struct builder *builder)
{
    for (size_t i = 0; i < builder->config->fastcgi_count; i++) {
        struct nginx_fastcgi *fastcgi = &builder->config->fastcgi[i];
        int at = builder->fastcgi_blocks[i];
        bool decided = false;

        for (; at >= 0; at = builder->blocks[at].parent) {
            const struct block *block = &builder->blocks[at];

            if (!decided && block->has_param) {
                fastcgi->has_request_id = block->has_request_id;
                decided = true;
            } else if (decided && block->has_request_id && !fastcgi->has_request_id) {
                fastcgi->hides_request_id = true;
            }
        }
    }
}

/* Everything that can grow, at its largest: a quarter of a megabyte of texts and five arrays. */
static bool reserve(struct nginx_config *config)
{
    config->strings = malloc(NGINX_STRINGS_BYTES);
    config->access_logs = calloc(NGINX_ITEMS_MAX, sizeof *config->access_logs);
    config->formats = calloc(NGINX_ITEMS_MAX, sizeof *config->formats);
    config->error_logs = calloc(NGINX_ITEMS_MAX, sizeof *config->error_logs);
    config->fastcgi = calloc(NGINX_ITEMS_MAX, sizeof *config->fastcgi);
    config->proxies = calloc(NGINX_ITEMS_MAX, sizeof *config->proxies);
    return config->strings && config->access_logs && config->formats && config->error_logs &&
           config->fastcgi && config->proxies;
}

int nginx_config_parse(struct slice text, struct nginx_config *ret_config)
{
    struct builder *builder = calloc(1, sizeof *builder);
    const struct nginx_visitor visitor = {
        .on_directive = on_directive, .on_close = on_close, .ctx = builder};
    struct nginx_walk_result result;

    *ret_config = (struct nginx_config){0};
    if (!builder || !reserve(ret_config)) {
        free(builder);
        return -ENOMEM;
    }
    builder->config = ret_config;
    builder->blocks[builder->blocks_count++].parent = -1;
    result = nginx_walk(text, &visitor);
    resolve_request_ids(builder);
    ret_config->missing_includes = result.missing_includes;
    ret_config->broken = result.broken;
    free(builder);
    return 0;
}

void nginx_config_release(struct nginx_config *config)
{
    free(config->access_logs);
    free(config->formats);
    free(config->error_logs);
    free(config->fastcgi);
    free(config->proxies);
    free(config->strings);
    *config = (struct nginx_config){0};
}

const char *nginx_config_format(const struct nginx_config *config, const char *name)
{
    for (size_t i = 0; i < config->formats_count; i++) {
        if (strcmp(config->formats[i].name, name) == 0)
            return config->formats[i].text;
    }
    if (strcmp(name, "combined") == 0)
        return "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
               "\"$http_referer\" \"$http_user_agent\"";
    return NULL;
}
