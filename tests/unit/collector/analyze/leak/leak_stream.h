/*
 * leak_stream.h - a made-up pool for tests of the leak analysis: workers by number, requests by
 * what they leave behind.
 *
 * Each worker keeps its own seq, live bytes and mapped bytes, so that l0 is the last l1 as in a
 * real stream; a worker that reaches `life` requests ends and is followed by a new pid.
 */
#ifndef FPMSCOPE_TEST_LEAK_STREAM_H
#define FPMSCOPE_TEST_LEAK_STREAM_H

#include <stdio.h>
#include <stdlib.h>

#include "analyze/leak/leak.h"

enum { STREAM_WORKERS = 64 };

#define STREAM_HAS(field) (UINT64_C(1) << EVENT_HAS_##field)

struct stream {
    struct leak_analyzer *analyzer;
    int64_t now_us, next_pid, next_id;
    int64_t life; /* requests, 0 = no recycling */
    int status;   /* of the next requests */
    uint32_t random;
    struct {
        int64_t pid, seq, live_bytes, mmap_kib;
    } workers[STREAM_WORKERS];
};

static inline void stream_init(struct stream *stream, int64_t life)
{
    const struct event header = {.kind = EVENT_hdr,
                                 .has = STREAM_HAS(max_requests) | STREAM_HAS(interval_bytes),
                                 .max_requests = life,
                                 .interval_bytes = 65536};

    *stream = (struct stream){.next_pid = 1000, .life = life, .status = 200, .random = 1};
    stream->analyzer = leak_analyzer_new(NULL);
    leak_feed(stream->analyzer, &header);
}

static inline void stream_release(struct stream *stream)
{
    leak_analyzer_free(stream->analyzer);
}

/* 0..limit-1, the same on every machine. */
static inline uint32_t stream_random(struct stream *stream, uint32_t limit)
{
    stream->random = stream->random * 1664525u + 1013904223u;
    return (uint32_t) ((uint64_t) stream->random * limit >> 32);
}

static inline void stream_end(struct stream *stream, int worker)
{
    const struct event end = {
        .kind = EVENT_end, .has = STREAM_HAS(pid), .pid = stream->workers[worker].pid};

    leak_feed(stream->analyzer, &end);
    stream->workers[worker].pid = 0;
}

/* A request of `uri` in a worker leaves `heap` bytes and `mmap_kib` KiB more than it found. */
static inline void stream_request(struct stream *stream, int worker, const char *uri, int64_t heap,
                                  int64_t mmap_kib)
{
    struct event event = {.kind = EVENT_req,
                          .has = STREAM_HAS(ts_us) | STREAM_HAS(pid) | STREAM_HAS(seq) |
                                 STREAM_HAS(uri) | STREAM_HAS(status) | STREAM_HAS(live0_bytes) |
                                 STREAM_HAS(live1_bytes) | STREAM_HAS(mmap0_kib) |
                                 STREAM_HAS(mmap1_kib)};

    if (stream->workers[worker].pid == 0) {
        stream->workers[worker].pid = stream->next_pid++;
        stream->workers[worker].seq = 0;
        stream->workers[worker].live_bytes = 2000000;
        stream->workers[worker].mmap_kib = 6144;
    }
    event.ts_us = stream->now_us += 1000;
    event.pid = stream->workers[worker].pid;
    event.seq = ++stream->workers[worker].seq;
    event.uri = slice_of(uri);
    event.status = stream->status;
    event.live0_bytes = stream->workers[worker].live_bytes;
    event.live1_bytes = stream->workers[worker].live_bytes += heap;
    event.mmap0_kib = stream->workers[worker].mmap_kib;
    event.mmap1_kib = stream->workers[worker].mmap_kib += mmap_kib;
    leak_feed(stream->analyzer, &event);
    if (stream->life > 0 && event.seq >= stream->life)
        stream_end(stream, worker);
}

/* A sampled block of the worker's last request survives; returns its id. */
static inline int64_t stream_sample(struct stream *stream, int worker, int64_t size, int64_t stack)
{
    const struct event event = {.kind = EVENT_smp,
                                .has = STREAM_HAS(pid) | STREAM_HAS(seq) | STREAM_HAS(id) |
                                       STREAM_HAS(size_bytes) | STREAM_HAS(stk),
                                .pid = stream->workers[worker].pid,
                                .seq = stream->workers[worker].seq,
                                .id = ++stream->next_id,
                                .size_bytes = size,
                                .stk = stack};

    leak_feed(stream->analyzer, &event);
    return event.id;
}

/* A group of blocks that was told as one loses so many bytes; 0: all that are left. */
static inline void stream_shrink(struct stream *stream, int worker, int64_t id, int64_t bytes)
{
    const struct event event = {.kind = EVENT_fre,
                                .has = STREAM_HAS(pid) | STREAM_HAS(seq) | STREAM_HAS(id) |
                                       (bytes > 0 ? STREAM_HAS(size_bytes) : 0),
                                .pid = stream->workers[worker].pid,
                                .seq = stream->workers[worker].seq,
                                .id = id,
                                .size_bytes = bytes};

    leak_feed(stream->analyzer, &event);
}

static inline void stream_free(struct stream *stream, int worker, int64_t id)
{
    stream_shrink(stream, worker, id, 0);
}

/* "/r3" for 3, in a static buffer. */
static inline const char *stream_route(unsigned number)
{
    static char text[16];

    snprintf(text, sizeof text, "/r%u", number);
    return text;
}

/* What request number `i`, of route /r`route` in `worker`, leaves in heap bytes. */
typedef int64_t stream_left(struct stream *stream, int worker, unsigned route, unsigned i);

/* The next request of `worker` is so many-th in its life, from 1. */
static inline int64_t stream_next_seq(const struct stream *stream, int worker)
{
    return stream->workers[worker].pid ? stream->workers[worker].seq + 1 : 1;
}

/* Requests over four workers and ten routes, /r0 to /r9. */
static inline void stream_serve(struct stream *stream, unsigned requests, stream_left *left)
{
    for (unsigned i = 0; i < requests; i++) {
        const unsigned route = stream_random(stream, 10);
        const int worker = (int) stream_random(stream, 4);

        stream_request(stream, worker, stream_route(route), left(stream, worker, route, i), 0);
    }
}

/* The same in a new stream. */
static inline void stream_serve_new(struct stream *stream, int64_t life, unsigned requests,
                                    stream_left *left)
{
    stream_init(stream, life);
    stream_serve(stream, requests, left);
}

/* The verdict of one route now; LEAK_VERDICT_COUNT when it is not in the report. */
static inline enum leak_verdict stream_verdict(struct stream *stream, const char *uri,
                                               struct leak_route *ret_route)
{
    struct leak_report *report = leak_verdicts(stream->analyzer);
    enum leak_verdict verdict = LEAK_VERDICT_COUNT;

    for (size_t i = 0; i < report->route_count; i++) {
        if (!slice_equal(report->routes[i].uri, slice_of(uri)))
            continue;
        verdict = report->routes[i].verdict;
        if (ret_route)
            *ret_route = report->routes[i];
    }
    leak_report_free(report);
    return verdict;
}

/* How many routes, "*" among them, are called leaking now. */
static inline size_t stream_alarms(struct stream *stream)
{
    struct leak_report *report = leak_verdicts(stream->analyzer);
    size_t alarms = 0;

    for (size_t i = 0; i < report->route_count; i++)
        alarms += report->routes[i].verdict == LEAK_VERDICT_leak;
    leak_report_free(report);
    return alarms;
}

#endif
