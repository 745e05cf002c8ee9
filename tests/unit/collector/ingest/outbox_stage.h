/*
 * outbox_stage.h - a stage with a worker that was busy enough to be asked to hold: its page, and
 * what it writes into the outbox there.
 *
 *     begin(stage)                        it has sent BUSY requests and is asked to hold
 *     outbox_request(stage, BUSY + 1)     it has finished one more; add what else it says
 *     outbox_show(stage)                  the collector may read it now
 *     outbox_send(stage)                  the same as a packet
 */
#ifndef FPMSCOPE_TESTS_INGEST_OUTBOX_STAGE_H
#define FPMSCOPE_TESTS_INGEST_OUTBOX_STAGE_H

#include "unit/collector/ingest/stage.h"

#include <fcntl.h>

enum { BUSY = 30 };
static const int64_t quarter_us = 250000;

static struct recorder_outbox outbox; /* of the worker, which is this very test */
static size_t outbox_bytes;

static inline void page_path(const struct stage *stage, char ret_path[192])
{
    char name[PAGE_NAME_BYTES];

    page_format_name(stage->sender.pid, stage->sender.start_ticks, name);
    snprintf(ret_path, 192, "%s/%s", stage->pages, name);
}

static inline void write_page_at(const struct stage *stage, size_t at, const void *bytes,
                                 size_t len_bytes)
{
    char path[192];

    page_path(stage, path);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len_bytes, (off_t) at), len_bytes);
    close(fd);
}

static inline uint64_t hold_in_page(const struct stage *stage)
{
    uint64_t hold_us = 0;
    char path[192];

    page_path(stage, path);
    int fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, &hold_us, sizeof hold_us, offsetof(struct recorder_page, hold_us)),
                     sizeof hold_us);
    close(fd);
    return hold_us;
}

static inline void outbox_add(size_t index, const void *message)
{
    size_t n = wire_encode(&wire_messages[index], message, outbox.bytes + outbox_bytes,
                           sizeof outbox.bytes - outbox_bytes);

    assert_true(n > 0);
    outbox_bytes += n;
}

static inline void outbox_begin(uint32_t generation)
{
    outbox.state = recorder_outbox_state(generation, 0);
    outbox_bytes = 0;
    outbox_add(WIRE_INDEX_PACKET, &(struct wire_packet){.generation = generation});
}

static inline void outbox_request(const struct stage *stage, uint64_t seq)
{
    const struct wire_request request = stage_request(stage, seq, "/held");

    outbox_add(WIRE_INDEX_REQUEST, &request);
}

/* What the worker does at a request's end. */
static inline void outbox_show(const struct stage *stage)
{
    outbox.state = (outbox.state & ~(uint64_t) UINT32_MAX) | outbox_bytes;
    write_page_at(stage, offsetof(struct recorder_page, outbox), &outbox, sizeof outbox);
}

/* And when it sends. */
static inline void outbox_send(struct stage *stage)
{
    memcpy(stage->packet, outbox.bytes, outbox_bytes);
    stage->length = outbox_bytes;
    stage_send(stage);
}

static inline void send_request(struct stage *stage, uint64_t seq)
{
    const struct wire_request request = stage_request(stage, seq, "/sent");

    stage_add(stage, WIRE_INDEX_REQUEST, &request);
    stage_send(stage);
}

static inline void look(struct stage *stage)
{
    stage->now_us += quarter_us;
    ingest_look_at_outboxes(stage->ingest, stage->now_us);
}

static inline int requests(struct stage *stage)
{
    return stage_count(stage_events(stage, STORE_KIND(req)), "\n");
}

/* The worker with its page; the last request that it sent by itself is number BUSY. */
static inline void begin(struct stage *stage)
{
    struct recorder_page *page = stage_page(stage, 1, "/running");

    page->slots[1].phase = RECORDER_IDLE;
    stage_write_page(stage, stage->sender.pid, stage->sender.start_ticks, page, sizeof *page);
    free(page);
    stage_hello(stage, WIRE_ROLE_WORKER);
    for (uint64_t seq = 1; seq <= BUSY; seq++)
        send_request(stage, seq);
    look(stage);
    outbox_begin(1000);
}

#endif
