/*
 * outbox.c - what busy workers have finished and not sent yet: asked for, read in their pages, and
 * recognised when it comes once more as a packet.
 *
 * A worker with many requests is asked to hold its packets (batch.h in the shim): one then carries
 * what it finished in a tenth of a second.  It is sent with the end of a request; a worker that has
 * nothing to do any more sends nothing, so its page is read instead when no packet came.
 *
 * The order is: copy the outbox, read the socket until it is empty, take the copy.  What was sent
 * before the copied generation began is then in the store, and when the copied packet itself was in
 * the socket, the copy is known as told.
 */
#include <errno.h>
#include <unistd.h>

#include "fpmscope/wire_codec.h"
#include "ingest/ingest_internal.h"

enum {
    BUSY_REQUESTS = 25, /* between two looks, a quarter of a second: a hundred a second */
    HOLD_US = 100 * 1000,
};
static const int64_t hold_after_us = INT64_C(60) * 1000000;

/* ---- what was taken ---------------------------------------------------------------------------
 */

static bool generation_of(const uint8_t *bytes, size_t len_bytes, uint32_t *ret_generation)
{
    const struct wire_message *desc;
    const uint8_t *message;
    size_t pos = 0, length;
    union wire_any any;

    if (!wire_next(bytes, len_bytes, &pos, &desc, &message, &length) || !desc ||
        desc->id != WIRE_PACKET || !wire_decode(desc, message, length, &any))
        return false;
    *ret_generation = any.packet.generation;
    return true;
}

/* Bytes of that generation which have been handled. */
static size_t taken_bytes(const struct worker_outbox *outbox, uint32_t generation, size_t len_bytes)
{
    if (!outbox->has_generation || outbox->generation != generation)
        return 0;
    return outbox->taken_bytes < len_bytes ? outbox->taken_bytes : len_bytes;
}

static void note_taken(struct worker_outbox *outbox, uint32_t generation, uint32_t bytes)
{
    outbox->has_generation = true;
    outbox->generation = generation;
    outbox->taken_bytes = bytes;
}

static bool is_told_request(const struct worker_outbox *outbox, const struct wire_request *request)
{
    return request->seq <= outbox->told_seq || request->end_us < outbox->told_before_us;
}

/* Does this message close a request that an earlier collector took from here? */
static bool is_told(const struct worker_outbox *outbox, const struct wire_message *desc,
                    const union wire_any *any)
{
    return (desc->id == WIRE_REQUEST && is_told_request(outbox, &any->request)) ||
           (desc->id == WIRE_SAMPLE && any->sample.seq <= outbox->told_seq) ||
           (desc->id == WIRE_HELD && any->held.seq <= outbox->told_seq);
}

/* All up to the last message of the last request that is in the store.  Blocks have no number of
 * their own there that would show a repetition. */
static size_t told_bytes(const struct worker_outbox *outbox, const uint8_t *bytes, size_t len_bytes)
{
    const struct wire_message *desc;
    const uint8_t *message;
    size_t pos = 0, length, told = 0;
    union wire_any any;

    while (wire_next(bytes, len_bytes, &pos, &desc, &message, &length))
        if (desc && wire_decode(desc, message, length, &any) && is_told(outbox, desc, &any))
            told = pos;
    return told;
}

struct known_bytes ingest_note_packet(struct worker *worker, const uint8_t *packet,
                                      size_t len_bytes)
{
    struct worker_outbox *outbox = &worker->outbox;
    struct known_bytes known = {0};
    uint32_t generation;

    if (!generation_of(packet, len_bytes, &generation))
        return known;
    known.taken = taken_bytes(outbox, generation, len_bytes);
    if (!outbox->has_generation && outbox->told_before_us > 0)
        known.told = told_bytes(outbox, packet, len_bytes);
    note_taken(outbox, generation, UINT32_MAX);
    outbox->packets++;
    return known;
}

/* A private copy, whose length fits. */
static void take_copy(struct ingest *ingest, struct worker *worker,
                      const struct recorder_outbox *copy)
{
    const uint8_t *bytes = copy->bytes;
    const uint32_t generation = (uint32_t) (copy->state >> 32);
    const uint32_t len_bytes = (uint32_t) copy->state;
    struct worker_outbox *outbox = &worker->outbox;
    uint32_t said;

    if (!generation_of(bytes, len_bytes, &said) || said != generation) {
        ingest_count(ingest, "damaged_outboxes", 1);
        return;
    }
    /* A later packet has come meanwhile, and this one before it. */
    if (outbox->has_generation && (int32_t) (generation - outbox->generation) < 0)
        return;
    const size_t from = taken_bytes(outbox, generation, len_bytes);
    if (from == len_bytes)
        return;
    const size_t told =
        outbox->told_before_us > 0 ? told_bytes(outbox, bytes + from, len_bytes - from) : 0;
    note_taken(outbox, generation, len_bytes);
    ingest_take_messages(ingest, worker, bytes + from, told, true);
    ingest_take_messages(ingest, worker, bytes + from + told, len_bytes - from - told, false);
}

void ingest_take_last_outbox(struct ingest *ingest, struct worker *worker)
{
    const uint32_t len_bytes = (uint32_t) ingest->page->outbox.state;

    if (len_bytes > sizeof ingest->page->outbox.bytes)
        ingest_count(ingest, "damaged_outboxes", 1);
    else if (len_bytes > 0)
        take_copy(ingest, worker, &ingest->page->outbox);
}

/* ---- living workers ---------------------------------------------------------------------------
 */

static uint64_t known_state(const struct worker_outbox *outbox)
{
    return outbox->has_generation ? recorder_outbox_state(outbox->generation, outbox->taken_bytes)
                                  : 0;
}

static bool is_drained(struct ingest *ingest, const struct worker *worker)
{
    const struct ingest_policy *policy = &ingest->policy;

    return !policy->drain ||
           policy->drain(policy->ctx, (pid_t) worker->key.pid, worker->key.start_ticks);
}

/* Others may be found dead while the socket is read, and their pages then lie in ingest->page; this
 * one, too, and then its end has told everything. */
static void look(struct ingest *ingest, struct worker *worker)
{
    int r = page_read_outbox(worker->outbox.fd, known_state(&worker->outbox), &ingest->outbox);

    if (r == -EBADMSG)
        ingest_count(ingest, "damaged_outboxes", 1);
    if (r == 1 && is_drained(ingest, worker) && !worker->has_ended)
        take_copy(ingest, worker, &ingest->outbox);
}

static int open_page_of(const struct ingest *ingest, const struct worker *worker, int *ret_fd)
{
    char name[PAGE_NAME_BYTES];
    int r = -ENOENT;

    page_format_name((pid_t) worker->key.pid, worker->key.start_ticks, name);
    for (size_t i = 0; r == -ENOENT && i < INGEST_PAGES_MAX; i++)
        if (ingest->policy.pages[i].directory)
            r = page_open(ingest->policy.pages[i].directory, name, ret_fd);
    return r;
}

/* Of a worker that has no page, each request comes by itself. */
static void begin_hold(struct ingest *ingest, struct worker *worker)
{
    int fd;

    if (open_page_of(ingest, worker, &fd) < 0)
        return;
    if (page_write_hold(fd, HOLD_US) < 0) {
        close(fd);
        return;
    }
    worker->outbox.hold = WORKER_HOLDS;
    worker->outbox.fd = fd;
    worker->outbox.busy_us = ingest->now_us;
    /* The last one known may be any number of packets ago, and seem to be a later one. */
    worker->outbox.has_generation = false;
}

bool ingest_adopt_hold(struct ingest *ingest, struct worker *worker)
{
    if (ingest->page->hold_us == 0 || worker->outbox.hold != WORKER_SENDS)
        return false;
    begin_hold(ingest, worker);
    if (worker->outbox.hold == WORKER_HOLDS)
        look(ingest, worker);
    return true;
}

void ingest_forget_hold(struct worker *worker)
{
    if (worker->outbox.hold != WORKER_SENDS)
        close(worker->outbox.fd);
    worker->outbox.hold = WORKER_SENDS;
}

static void look_once_more(struct ingest *ingest, struct worker *worker)
{
    look(ingest, worker);
    ingest_forget_hold(worker);
}

static void mind_traffic(struct ingest *ingest, struct worker *worker)
{
    struct worker_outbox *outbox = &worker->outbox;

    if (outbox->requests >= BUSY_REQUESTS) {
        outbox->busy_us = ingest->now_us;
        if (outbox->hold == WORKER_SENDS)
            begin_hold(ingest, worker);
    } else if (outbox->hold == WORKER_HOLDS && ingest->now_us - outbox->busy_us > hold_after_us) {
        page_write_hold(outbox->fd, 0);
        outbox->hold = WORKER_SENDS_SOON;
    }
    outbox->requests = 0;
}

static void look_at(struct ingest *ingest, struct worker *worker)
{
    struct worker_outbox *outbox = &worker->outbox;

    /* Who sends packets has nothing that would be late. */
    if (outbox->hold == WORKER_SENDS_SOON)
        look_once_more(ingest, worker);
    else if (outbox->hold == WORKER_HOLDS && outbox->packets == 0)
        look(ingest, worker);
    outbox->packets = 0;
    if (!worker->has_ended) /* which may have been found by looking */
        mind_traffic(ingest, worker);
}

void ingest_look_at_outboxes(struct ingest *ingest, int64_t now_us)
{
    struct worker *worker, *next;

    ingest->now_us = now_us;
    HASH_ITER(hh, ingest->workers.workers, worker, next)
    {
        if (!worker->has_ended && !worker->is_master)
            look_at(ingest, worker);
    }
}

void ingest_end_holds(struct ingest *ingest, int64_t now_us)
{
    struct worker *worker, *next;

    ingest->now_us = now_us;
    HASH_ITER(hh, ingest->workers.workers, worker, next)
    {
        if (worker->has_ended || worker->outbox.hold == WORKER_SENDS)
            continue;
        page_write_hold(worker->outbox.fd, 0);
        look_once_more(ingest, worker);
    }
}
