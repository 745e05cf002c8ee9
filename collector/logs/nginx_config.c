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
    struct block *blocks;
    int blocks_count;
    int open[NGINX_DEPTH_MAX + 1]; /* the block at each depth */
    int depth;
    int *fastcgi_blocks; /* parallel to config->fastcgi */
    int error;
};

typedef void (*directive_handler)(struct builder *builder, const struct nginx_directive *directive);

static char *word_dup(struct builder *builder, const struct nginx_word *word)
{
    char text[NGINX_TEXT_BYTES];
    char *copy;

    (void) nginx_word_text(word, text, sizeof text);
    copy = strdup(text);
    if (!copy)
        builder->error = -ENOMEM;
    return copy;
}

/*
 * A zeroed element behind the last of an array; NULL when there is no room.  `items` is the address
 * of the array's pointer, whatever its type: it is read and written as bytes.
 */
static void *add_item(struct builder *builder, void *items, size_t *count, size_t size_bytes)
{
    char *array, *grown;

    if (*count == NGINX_ITEMS_MAX) {
        builder->config->skipped++;
        return NULL;
    }
    memcpy(&array, items, sizeof array);
    grown = realloc(array, (*count + 1) * size_bytes);
    if (!grown) {
        builder->error = -ENOMEM;
        return NULL;
    }
    memcpy(items, &grown, sizeof grown);
    memset(grown + *count * size_bytes, 0, size_bytes);
    return grown + (*count)++ * size_bytes;
}

static bool starts(const struct nginx_word *word, const char *prefix)
{
    return slice_starts(word->raw, slice_of(prefix));
}

static bool is_known_log(const struct nginx_config *config, const char *path, const char *format)
{
    for (size_t i = 0; i < config->access_logs_count; i++) {
        const struct nginx_access_log *log = &config->access_logs[i];

        if (log->path && log->format && strcmp(log->path, path) == 0 &&
            strcmp(log->format, format) == 0)
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
    char *path, *format;

    if (directive->count < 2 || nginx_word_is(&directive->words[1], "off"))
        return;
    path = word_dup(builder, &directive->words[1]);
    format = named ? word_dup(builder, &directive->words[2]) : strdup("combined");
    log = path && format && !is_known_log(config, path, format)
              ? add_item(builder, &config->access_logs, &config->access_logs_count, sizeof *log)
              : NULL;
    if (!log) {
        free(path);
        free(format);
        return;
    }
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
    struct nginx_log_format *format;
    char text[NGINX_TEXT_BYTES];
    size_t used = 0;

    if (directive->count < 3)
        return;
    for (size_t i = 2; i < directive->count; i++) {
        used += nginx_word_text(&directive->words[i], text + used, sizeof text - used);
        if (i == 2 && starts(&directive->words[i], "escape=") && used + 1 < sizeof text)
            text[used++] = ' ';
    }
    text[used] = '\0';
    format = add_item(builder, &config->formats, &config->formats_count, sizeof *format);
    if (!format)
        return;
    format->name = word_dup(builder, &directive->words[1]);
    format->text = strdup(text);
    if (!format->text)
        builder->error = -ENOMEM;
}

/* error_log PATH [LEVEL]; */
static void on_error_log(struct builder *builder, const struct nginx_directive *directive)
{
    struct nginx_config *config = builder->config;
    struct nginx_error_log *log;

    if (directive->count < 2)
        return;
    log = add_item(builder, &config->error_logs, &config->error_logs_count, sizeof *log);
    if (!log)
        return;
    log->path = word_dup(builder, &directive->words[1]);
    log->level = directive->count > 2 ? word_dup(builder, &directive->words[2]) : strdup("error");
    log->is_syslog = starts(&directive->words[1], "syslog:") ||
                     starts(&directive->words[1], "memory:") ||
                     nginx_word_is(&directive->words[1], "stderr");
}

static char *place_dup(struct builder *builder, const struct nginx_directive *directive)
{
    char *place = NULL;

    if (asprintf(&place, "%.*s:%d", (int) directive->file.len_bytes,
                 directive->file.ptr ? directive->file.ptr : "", directive->line) < 0) {
        builder->error = -ENOMEM;
        return NULL;
    }
    return place;
}

static void on_fastcgi_pass(struct builder *builder, const struct nginx_directive *directive)
{
    struct nginx_config *config = builder->config;
    struct nginx_fastcgi *fastcgi;
    int *blocks;

    if (directive->count < 2)
        return;
    blocks = realloc(builder->fastcgi_blocks, (config->fastcgi_count + 1) * sizeof *blocks);
    if (!blocks) {
        builder->error = -ENOMEM;
        return;
    }
    builder->fastcgi_blocks = blocks;
    fastcgi = add_item(builder, &config->fastcgi, &config->fastcgi_count, sizeof *fastcgi);
    if (!fastcgi)
        return;
    blocks[config->fastcgi_count - 1] = builder->open[builder->depth];
    fastcgi->pass = word_dup(builder, &directive->words[1]);
    fastcgi->where = place_dup(builder, directive);
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
    struct nginx_proxy *proxy;

    if (directive->count < 2)
        return;
    proxy = add_item(builder, &config->proxies, &config->proxies_count, sizeof *proxy);
    if (!proxy)
        return;
    proxy->pass = word_dup(builder, &directive->words[1]);
    proxy->where = place_dup(builder, directive);
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

int nginx_config_parse(struct slice text, struct nginx_config *ret_config)
{
    struct builder builder = {.config = ret_config};
    const struct nginx_visitor visitor = {
        .on_directive = on_directive, .on_close = on_close, .ctx = &builder};
    struct nginx_walk_result result;

    *ret_config = (struct nginx_config){0};
    builder.blocks = calloc(BLOCKS_MAX, sizeof *builder.blocks);
    if (!builder.blocks)
        return -ENOMEM;
    builder.blocks[builder.blocks_count++].parent = -1;
    result = nginx_walk(text, &visitor);
    resolve_request_ids(&builder);
    ret_config->missing_includes = result.missing_includes;
    ret_config->broken = result.broken;
    free(builder.blocks);
    free(builder.fastcgi_blocks);
    return builder.error;
}

void nginx_config_release(struct nginx_config *config)
{
    for (size_t i = 0; i < config->access_logs_count; i++) {
        free(config->access_logs[i].path);
        free(config->access_logs[i].format);
    }
    for (size_t i = 0; i < config->formats_count; i++) {
        free(config->formats[i].name);
        free(config->formats[i].text);
    }
    for (size_t i = 0; i < config->error_logs_count; i++) {
        free(config->error_logs[i].path);
        free(config->error_logs[i].level);
    }
    for (size_t i = 0; i < config->fastcgi_count; i++) {
        free(config->fastcgi[i].pass);
        free(config->fastcgi[i].where);
    }
    for (size_t i = 0; i < config->proxies_count; i++) {
        free(config->proxies[i].pass);
        free(config->proxies[i].where);
    }
    free(config->access_logs);
    free(config->formats);
    free(config->error_logs);
    free(config->fastcgi);
    free(config->proxies);
    *config = (struct nginx_config){0};
}

const char *nginx_config_format(const struct nginx_config *config, const char *name)
{
    for (size_t i = 0; i < config->formats_count; i++) {
        if (config->formats[i].name && strcmp(config->formats[i].name, name) == 0)
            return config->formats[i].text;
    }
    if (strcmp(name, "combined") == 0)
        return "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
               "\"$http_referer\" \"$http_user_agent\"";
    return NULL;
}
