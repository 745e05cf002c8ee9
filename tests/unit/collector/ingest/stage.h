/*
 * stage.h - what a test of the ingest needs: a store and a page directory in a temporary place, a
 * packet to fill, and what the store says afterwards, as lines of text.
 */
#ifndef FPMSCOPE_TESTS_INGEST_STAGE_H
#define FPMSCOPE_TESTS_INGEST_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/proc.h"
#include "fpmscope/recorder.h"
#include "fpmscope/wire_codec.h"
#include "ingest/ingest.h"
#include "ingest/page.h"
#include "model/event_write.h"
#include "store/store.h"

struct stage {
    char directory[64], pages[96];
    struct store *store;
    struct ingest *ingest;
    struct ingest_policy policy;
    struct ingest_sender sender; /* this very test, unless changed */
    int64_t now_us;
    uint8_t packet[WIRE_PACKET_MAX_BYTES];
    size_t length;
    char *text; /* of stage_events() */
    int troubles, found;
};

static inline void stage_trouble(void *ctx, int64_t time_us)
{
    (void) time_us;
    ((struct stage *) ctx)->troubles++;
}

static inline void stage_found(void *ctx, pid_t pid, uint64_t start_ticks)
{
    (void) pid;
    (void) start_ticks;
    ((struct stage *) ctx)->found++;
}

static inline int64_t stage_clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline void stage_open(struct stage *stage)
{
    struct store_message message;

    assert_int_equal(store_open(stage->directory, STORE_WRITE, NULL, &stage->store, &message), 0);
    assert_int_equal(ingest_new(stage->store, &stage->policy, &stage->ingest), 0);
}

static inline int stage_setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct process_stat self;

    snprintf(stage->directory, sizeof stage->directory, "/tmp/fpmscope-ingest.XXXXXX");
    if (!mkdtemp(stage->directory) || process_stat(getpid(), &self) < 0)
        return -1;
    snprintf(stage->pages, sizeof stage->pages, "%s/pages", stage->directory);
    mkdir(stage->pages, 0700);
    stage->now_us = stage_clock_us();
    stage->sender = (struct ingest_sender){
        .pid = getpid(), .parent = self.parent, .start_ticks = self.start_ticks, .uid = geteuid()};
    stage->policy = (struct ingest_policy){.pages = {{.directory = stage->pages}},
                                           .own_uid = geteuid(),
                                           .on_trouble = stage_trouble,
                                           .on_found = stage_found,
                                           .ctx = stage};
    stage_open(stage);
    *state = stage;
    return 0;
}

static inline void stage_close(struct stage *stage)
{
    ingest_free(stage->ingest);
    store_free(stage->store);
    stage->ingest = NULL;
    stage->store = NULL;
}

static inline int stage_teardown(void **state)
{
    struct stage *stage = *state;
    char command[128];

    stage_close(stage);
    snprintf(command, sizeof command, "rm -rf '%s'", stage->directory);
    int r = system(command);
    free(stage->text);
    free(stage);
    return r;
}

static inline wire_str stage_str(const char *text)
{
    return (wire_str){.ptr = text, .len_bytes = (uint16_t) strlen(text)};
}

static inline void stage_add(struct stage *stage, size_t index, const void *message)
{
    size_t n = wire_encode(&wire_messages[index], message, stage->packet + stage->length,
                           sizeof stage->packet - stage->length);

    assert_true(n > 0);
    stage->length += n;
}

static inline void stage_send(struct stage *stage)
{
    ingest_packet(stage->ingest, &stage->sender, stage->packet, stage->length, stage->now_us);
    stage->length = 0;
}

static inline void stage_hello(struct stage *stage, uint8_t role)
{
    const struct wire_hello hello = {.version = WIRE_VERSION,
                                     .role = role,
                                     .pid = (uint32_t) stage->sender.pid,
                                     .start_ticks = stage->sender.start_ticks,
                                     .time_us = stage->now_us,
                                     .interval_bytes = 65536};

    stage_add(stage, WIRE_INDEX_HELLO, &hello);
    stage_send(stage);
}

static inline struct wire_request stage_request(const struct stage *stage, uint64_t seq,
                                                const char *uri)
{
    return (struct wire_request){.seq = seq,
                                 .begin_us = stage->now_us - 3000,
                                 .response_us = stage->now_us - 2000,
                                 .end_us = stage->now_us - 1000,
                                 .status = 200,
                                 .live_before_bytes = 1000,
                                 .live_after_bytes = 900,
                                 .method = stage_str("GET"),
                                 .uri = stage_str(uri)};
}

static inline int stage_write_event(void *ctx, const struct event *event)
{
    return event_write(event, ctx);
}

/* The store's events as a stream, the texts of tests. */
static inline const char *stage_events(struct stage *stage, uint32_t kinds)
{
    size_t size;

    free(stage->text);
    FILE *out = open_memstream(&stage->text, &size);
    assert_int_equal(store_each_event(stage->store, &(struct store_query){.kinds = kinds},
                                      stage_write_event, out),
                     0);
    fclose(out);
    return stage->text;
}

struct stage_counter {
    const char *name;
    uint64_t n;
};

static inline int stage_sum(void *ctx, const struct store_coverage *row)
{
    struct stage_counter *counter = ctx;

    if (strcmp(row->name, counter->name) == 0)
        counter->n += row->n;
    return 0;
}

/* What coverage says of `name`. */
static inline uint64_t stage_counted(struct stage *stage, const char *name)
{
    struct stage_counter counter = {.name = name};

    store_each_coverage(stage->store, NULL, stage_sum, &counter);
    return counter.n;
}

/* Byte by byte: the address sanitizer's strstr() measures the rest of the text at each call. */
static inline int stage_count(const char *text, const char *needle)
{
    size_t len = strlen(needle);
    int n = 0;

    for (const char *at = text; *at; at++)
        n += *at == *needle && strncmp(at, needle, len) == 0;
    return n;
}

static inline void stage_write_page(const struct stage *stage, pid_t pid, uint64_t start_ticks,
                                    const struct recorder_page *page, size_t bytes)
{
    char name[PAGE_NAME_BYTES], path[192];

    page_format_name(pid, start_ticks, name);
    snprintf(path, sizeof path, "%s/%s", stage->pages, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(page, 1, bytes, file), bytes);
    fclose(file);
}

/* A page of a worker that serves `uri` as its request `seq`. */
static inline struct recorder_page *stage_page(const struct stage *stage, uint64_t seq,
                                               const char *uri)
{
    struct recorder_page *page = calloc(1, sizeof *page);
    struct recorder_request *slot = &page->slots[1];

    page->magic = RECORDER_MAGIC;
    page->version = RECORDER_VERSION;
    page->page_bytes = sizeof *page;
    page->current = 1;
    slot->seq = seq;
    slot->phase = RECORDER_RUNNING;
    slot->begin_us = stage->now_us - 5000000;
    slot->uri_len_bytes = (uint16_t) strlen(uri);
    memcpy(slot->uri, uri, strlen(uri));
    slot->method_len_bytes = 4;
    memcpy(slot->method, "POST", 4);
    return page;
}

#endif
