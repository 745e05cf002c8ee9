/*
 * fuzz_logs.h - what the fuzzers of log parsers share: a context, a copy of the input that ends
 * where its memory ends, and a check that an event's texts can be read.
 */
#ifndef FPMSCOPE_TESTS_FUZZ_LOGS_H
#define FPMSCOPE_TESTS_FUZZ_LOGS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "logs/access_draft.h"
#include "logs/parsers.h"

struct fuzz_logs {
    struct access_names names;
    struct log_scratch scratch;
    struct log_context context;
    char *copy;
    size_t size_bytes;
    volatile unsigned sum;
};

static inline void fuzz_logs_init(struct fuzz_logs *fuzz, const uint8_t *data, size_t size_bytes)
{
    access_names_init(&fuzz->names);
    fuzz->copy = malloc(size_bytes ? size_bytes : 1);
    fuzz->scratch.size_bytes = 2 * size_bytes;
    fuzz->scratch.ptr = malloc(fuzz->scratch.size_bytes ? fuzz->scratch.size_bytes : 1);
    if (!fuzz->copy || !fuzz->scratch.ptr)
        abort();
    if (size_bytes > 0)
        memcpy(fuzz->copy, data, size_bytes);
    fuzz->size_bytes = size_bytes;
    fuzz->context = (struct log_context){
        .reference_us = 1795348800000000,
        .scratch = &fuzz->scratch,
        .names = &fuzz->names,
    };
}

static inline void fuzz_logs_release(struct fuzz_logs *fuzz)
{
    free(fuzz->copy);
    free(fuzz->scratch.ptr);
}

/* A text lies in the record or in the scratch, or is a constant of the parser. */
static inline void fuzz_logs_read(struct fuzz_logs *fuzz, struct slice text)
{
    if (text.len_bytes > 0 && !text.ptr)
        abort();
    for (size_t i = 0; i < text.len_bytes; i++)
        fuzz->sum += (unsigned char) text.ptr[i];
}

static inline void fuzz_logs_read_all(struct fuzz_logs *fuzz, const struct slice *texts,
                                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        fuzz_logs_read(fuzz, texts[i]);
}

#define FUZZ_READ(fuzz, ...)                                                                       \
    fuzz_logs_read_all((fuzz), (const struct slice[]){__VA_ARGS__},                                \
                       sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))

static inline void fuzz_logs_check(struct fuzz_logs *fuzz, const struct log_event *event)
{
    const struct log_access *access = &event->access;

    switch (event->kind) {
    case LOG_ACCESS:
        FUZZ_READ(fuzz, access->request, access->method, access->uri, access->protocol,
                  access->host, access->server_name, access->remote_addr, access->remote_user,
                  access->user_agent, access->referer, access->handler, access->port,
                  access->request_id, access->country, access->cache_status, access->completion);
        if (access->upstream_count > LOG_UPSTREAMS_MAX)
            abort();
        fuzz_logs_read_all(fuzz, access->upstream_addr, (size_t) access->upstream_count);
        break;
    case LOG_NGINX_ERROR:
        FUZZ_READ(fuzz, event->nginx.level, event->nginx.message, event->nginx.client,
                  event->nginx.server, event->nginx.method, event->nginx.uri, event->nginx.upstream,
                  event->nginx.host, event->nginx.referer);
        break;
    case LOG_FPM:
        FUZZ_READ(fuzz, event->fpm.level, event->fpm.pool, event->fpm.script, event->fpm.request,
                  event->fpm.message);
        break;
    case LOG_PHP_ERROR:
        FUZZ_READ(fuzz, event->php.level, event->php.message, event->php.file);
        break;
    case LOG_PHP_SLOW:
        FUZZ_READ(fuzz, event->slow.pool, event->slow.script, event->slow.function,
                  event->slow.file);
        break;
    case LOG_KERNEL:
        FUZZ_READ(fuzz, event->kernel.comm, event->kernel.module, event->kernel.constraint,
                  event->kernel.task_memcg, event->kernel.unit);
        break;
    case LOG_VARNISH:
    case LOG_NCSA:
        FUZZ_READ(fuzz, event->varnish.method, event->varnish.uri, event->varnish.host,
                  event->varnish.request_id, event->varnish.client, event->varnish.user_agent,
                  event->varnish.fetch_error, event->varnish.backend_name, event->varnish.received);
        break;
    case LOG_VARNISHD:
        FUZZ_READ(fuzz, event->varnishd.message);
        break;
    case LOG_KIND_COUNT:
        abort();
    }
}

/* One record through one parser. */
static inline void fuzz_logs_parse(struct fuzz_logs *fuzz, log_parse_fn parse)
{
    struct log_event event;

    fuzz->scratch.used_bytes = 0;
    if (parse((struct slice){.ptr = fuzz->copy, .len_bytes = fuzz->size_bytes}, &fuzz->context,
              &event))
        fuzz_logs_check(fuzz, &event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
