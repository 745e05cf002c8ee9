/* packets.c - a packet's messages, one handler each. */
#include <stdlib.h>

#include "fpmscope/wire_codec.h"
#include "ingest/ingest_internal.h"
#include "ingest/masters.h"
#include "model/event_set.h"
#include "model/uri_hash.h"

_Static_assert((int) INGEST_PACKET_MAX_BYTES == (int) WIRE_PACKET_MAX_BYTES, "one protocol");

typedef void (*message_handler)(struct ingest *ingest, struct worker *worker,
                                const union wire_any *any);

static struct slice slice_of_str(wire_str str)
{
    return (struct slice){.ptr = str.ptr, .len_bytes = str.len_bytes};
}

static void on_hello(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_hello *hello = &any->hello;

    worker->said_hello = true;
    worker->interval_bytes = (int64_t) (hello->interval_bytes & INT64_MAX);
    if (worker->parent == 0)
        worker->parent = (pid_t) (hello->ppid & INT32_MAX);
    /* For its crash report, which it could not write the map into. */
    if (!worker->map && !worker->is_master && code_map_is_out_of_its_reach((pid_t) worker->key.pid))
        code_map_read((pid_t) worker->key.pid, &worker->map);
    if (hello->version != WIRE_VERSION)
        ingest_count(ingest, "other_wire_versions", 1);
    /* Its own clock is finer than the kernel's ticks; a later HELLO is one of a reconnection. */
    if (!worker->is_stored && hello->time_us >= worker->born_us && hello->time_us <= ingest->now_us)
        worker->born_us = hello->time_us;
    if (worker->is_master) {
        master_on_hello(ingest, worker, hello->time_us);
    } else {
        master_note_child(ingest, worker);
        ingest_store_start(ingest, worker);
    }
}

static struct request_facts facts_of(const struct wire_request *request)
{
    return (struct request_facts){
        .seq = request->seq,
        .flags = request->flags,
        .begin_us = request->begin_us,
        .response_us = request->response_us,
        .method = slice_of_str(request->method),
        .uri = slice_head(slice_of_str(request->uri), LIMIT_URI_BYTES),
        .document_uri = slice_head(slice_of_str(request->document_uri), LIMIT_URI_BYTES),
        .host = slice_head(slice_of_str(request->host), LIMIT_TEXT_BYTES),
        .port = slice_head(slice_of_str(request->port), LIMIT_TEXT_BYTES),
        .remote_addr = slice_head(slice_of_str(request->remote_addr), LIMIT_TEXT_BYTES),
        .user_agent = slice_head(slice_of_str(request->user_agent), LIMIT_TEXT_BYTES),
        .request_id = slice_head(slice_of_str(request->request_id), LIMIT_TEXT_BYTES),
        .x_request_id = slice_head(slice_of_str(request->x_request_id), LIMIT_TEXT_BYTES),
    };
}

static void store_write_error(struct ingest *ingest, const struct worker *worker,
                              const struct wire_request *request)
{
    struct event event = ingest_event(ingest, worker, EVENT_werr, request->write_error_us);

    event_set_seq(&event, (int64_t) request->seq);
    event_set_err(&event, request->write_errno);
    ingest_store(ingest, &event);
}

static int64_t kib(uint64_t bytes)
{
    return (int64_t) (bytes / 1024);
}

/* Between nothing and the worker's whole life. */
static int64_t duration_us(const struct ingest *ingest, const struct worker *worker,
                           const struct wire_request *request)
{
    const int64_t life_us = ingest->now_us - worker->born_us + 1000000; /* clocks are not exact */
    int64_t duration;

    if (__builtin_sub_overflow(request->end_us, request->begin_us, &duration) || duration < 0)
        return 0;
    return duration < life_us ? duration : life_us;
}

static void store_request(struct ingest *ingest, struct worker *worker,
                          const struct wire_request *request)
{
    struct event event = ingest_event(ingest, worker, EVENT_req, request->end_us);
    const struct slice uri = slice_head(slice_of_str(request->uri), LIMIT_URI_BYTES);

    event_set_seq(&event, (int64_t) request->seq);
    event_set_uri(&event, ingest_mask(ingest, uri, &ingest->uri));
    event_set_uri_hash(&event, uri_hash(uri));
    event_set_dur_us(&event, duration_us(ingest, worker, request));
    if (request->status)
        event_set_status(&event, request->status);
    event_set_live0_bytes(&event, request->live_before_bytes);
    event_set_live1_bytes(&event, request->live_after_bytes);
    event_set_mmap0_kib(&event, kib(request->mapped_before_bytes));
    event_set_mmap1_kib(&event, kib(request->mapped_after_bytes));
    if (request->zend_peak_bytes)
        event_set_zend_peak_kib(&event, kib(request->zend_peak_bytes));
    event_set_allocated_kib(&event, kib(request->allocated_bytes));
    event_set_samples(&event, request->samples);
    if (request->flags)
        event_set_request_flags(&event, request->flags);
    const struct slice controller = ingest_controller(ingest, worker, request->seq, uri);
    if (controller.len_bytes > 0)
        event_set_name(&event, controller);
    worker->last_end_us = event.ts_us;
    ingest_store(ingest, &event);
}

/* True when the request is news; what is missing before it is counted. */
static bool is_next(struct ingest *ingest, struct worker *worker, uint64_t seq)
{
    if (seq <= worker->last_seq || seq > INT64_MAX) {
        ingest_count(ingest, "repeated_requests", 1);
        return false;
    }
    ingest_count_missed(ingest, ingest_note_finished(ingest, worker, seq - 1));
    worker->last_seq = seq;
    return true;
}

static void on_request(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_request *request = &any->request;
    const struct request_facts facts = facts_of(request);

    if (!is_next(ingest, worker, request->seq))
        return;
    worker->outbox.requests++;
    ingest_store_begin(ingest, worker, &facts);
    if (request->response_us > 0)
        ingest_store_response(ingest, worker, request->seq, request->response_us, request->status);
    if (request->write_errno)
        store_write_error(ingest, worker, request);
    store_request(ingest, worker, request);
    ingest_note_losses(ingest, worker, request->dropped_messages, request->throttled_samples);
}

static void on_stack(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_stack *stack = &any->stack;
    const int64_t id =
        ingest_take_stack(ingest, worker, slice_of_str(stack->php), slice_of_str(stack->native));

    if (id && worker_set_stack(worker, stack->id, id) < 0)
        ingest_count(ingest, "refused_stacks", 1);
    ingest_learn_controller(ingest, id, slice_of_str(stack->php));
}

static void on_seen(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_seen *seen = &any->seen;

    for (size_t at = 0; at + sizeof(uint32_t) <= seen->stacks.len_bytes; at += sizeof(uint32_t)) {
        uint32_t id;

        memcpy(&id, seen->stacks.ptr + at, sizeof id);
        ingest_note_controller(ingest, worker, seen->seq, worker_stack(worker, id));
    }
}

/* The store's id of a stack that a message names, 0 for none.  Its text may have been in a packet
 * that was dropped, or told to an earlier collector only. */
static int64_t named_stack(struct ingest *ingest, const struct worker *worker, uint32_t id)
{
    const int64_t stack = worker_stack(worker, id);

    if (id && !stack)
        ingest_count(ingest, "unknown_stacks", 1);
    return stack;
}

/* Block numbers are a worker's own; in the stream they are unique. */
static int64_t block_id(const struct worker *worker, uint64_t id)
{
    const uint64_t whole[] = {(uint64_t) worker->key.pid, worker->key.start_ticks, id};

    return ingest_hash((struct slice){.ptr = (const char *) whole, .len_bytes = sizeof whole});
}

/*
 * A sample has no time of its own: it comes right behind the end of its request, before the next
 * one's.  Not when it arrived: a collector that lags would put it behind later requests, and what
 * reads the store in the order of time would blame their routes.
 */
static int64_t block_time_us(const struct ingest *ingest, const struct worker *worker)
{
    return worker->last_end_us > 0 ? worker->last_end_us + 1 : ingest->now_us;
}

static struct event block_event(struct ingest *ingest, const struct worker *worker,
                                enum event_kind kind, uint64_t seq, uint64_t id)
{
    struct event event = ingest_event(ingest, worker, kind, block_time_us(ingest, worker));

    event_set_seq(&event, (int64_t) (seq & INT64_MAX));
    event_set_id(&event, block_id(worker, id));
    return event;
}

static void on_sample(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_sample *sample = &any->sample;
    struct event event = block_event(ingest, worker, EVENT_smp, sample->seq, sample->id);
    const int64_t stack = named_stack(ingest, worker, sample->stack);

    event_set_size_bytes(&event, (int64_t) (sample->size_bytes & INT64_MAX));
    event_set_interval_bytes(&event, (int64_t) (sample->interval_bytes & INT64_MAX));
    if (stack)
        event_set_stk(&event, stack);
    ingest_store(ingest, &event);
}

static void on_freed(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_freed *freed = &any->freed;
    struct event event = block_event(ingest, worker, EVENT_fre, freed->seq, freed->id);

    event_set_realloced(&event, freed->realloced != 0);
    ingest_store(ingest, &event);
}

/* Of a group of blocks that exact mode told as one: a freed one with a size is only that part of
 * it. */
static void on_shrunk(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_shrunk *shrunk = &any->shrunk;
    struct event event = block_event(ingest, worker, EVENT_fre, shrunk->seq, shrunk->id);

    if (shrunk->size_bytes == 0 || shrunk->size_bytes > INT64_MAX)
        return;
    event_set_size_bytes(&event, (int64_t) shrunk->size_bytes);
    event_set_realloced(&event, shrunk->realloced != 0);
    ingest_store(ingest, &event);
}

static void on_growth(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_growth *growth = &any->growth;

    const int64_t stack = named_stack(ingest, worker, growth->stack);

    worker->growth_seq = growth->seq;
    worker->growth_us = growth->time_us;
    ingest_note_controller(ingest, worker, growth->seq, stack);
    ingest_store_growth(ingest, worker, growth->seq & INT64_MAX, growth->time_us, growth->bytes,
                        stack);
}

/* Right behind its request, as a sample. */
static void on_held(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    const struct wire_held *held = &any->held;
    struct event event = ingest_event(ingest, worker, EVENT_hold, block_time_us(ingest, worker));
    const int64_t stack = named_stack(ingest, worker, held->stack);

    if (held->bytes > INT64_MAX || held->seq > INT64_MAX)
        return;
    event_set_seq(&event, (int64_t) held->seq);
    event_set_size_bytes(&event, (int64_t) held->bytes);
    event_set_count(&event, held->samples);
    event_set_interval_bytes(&event, (int64_t) (held->interval_bytes & INT64_MAX));
    if (stack)
        event_set_stk(&event, stack);
    if (held->flags)
        event_set_request_flags(&event, held->flags);
    ingest_store(ingest, &event);
}

/* The page knows more; it is read at the end of the process, which is near. */
static void on_crash(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    if (worker->crash) {
        ingest_count(ingest, "repeated_crashes", 1);
        return;
    }
    worker->crash = malloc(sizeof *worker->crash);
    if (!worker->crash)
        return;
    worker->crash->message = any->crash;
    if (any->crash.php.len_bytes > 0)
        memcpy(worker->crash->php, any->crash.php.ptr, any->crash.php.len_bytes);
    worker->crash->message.php.ptr = worker->crash->php;
}

static void on_kill(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    struct event event = ingest_event(ingest, worker, EVENT_kill, any->kill.time_us);

    event_set_target(&event, any->kill.target);
    event_set_sig(&event, any->kill.signo);
    event_set_master(&event, worker->is_master);
    ingest_store(ingest, &event);
}

static const char *note_name(uint16_t code)
{
    return code == WIRE_NOTE_LAYOUT ? "unknown_layout"
           : code == WIRE_NOTE_OFF  ? "shim_off"
                                    : "note";
}

static void on_note(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    (void) worker;
    store_add_coverage(ingest->store, note_name(any->note.code), slice_of_str(any->note.detail), 1);
}

/* Its generation has been looked at before any of its messages. */
static void on_packet(struct ingest *ingest, struct worker *worker, const union wire_any *any)
{
    (void) ingest;
    (void) worker;
    (void) any;
}

static const message_handler handlers[] = {
    [WIRE_HELLO] = on_hello,   [WIRE_REQUEST] = on_request,  [WIRE_STACK] = on_stack,
    [WIRE_SAMPLE] = on_sample, [WIRE_FREED] = on_freed,      [WIRE_GROWTH] = on_growth,
    [WIRE_CRASH] = on_crash,   [WIRE_FORK] = master_on_fork, [WIRE_REAP] = master_on_reap,
    [WIRE_KILL] = on_kill,     [WIRE_NOTE] = on_note,        [WIRE_HELD] = on_held,
    [WIRE_SEEN] = on_seen,     [WIRE_SHRUNK] = on_shrunk,    [WIRE_PACKET] = on_packet,
};

static void handle(struct ingest *ingest, struct worker *worker, const struct wire_message *desc,
                   const uint8_t *bytes, size_t len_bytes)
{
    union wire_any any;

    if (!desc || desc->id >= sizeof handlers / sizeof *handlers || !handlers[desc->id])
        ingest_count(ingest, "unknown_messages", 1);
    else if (wire_decode(desc, bytes, len_bytes, &any))
        handlers[desc->id](ingest, worker, &any);
    else
        ingest_count(ingest, "damaged_messages", 1);
}

void ingest_take_messages(struct ingest *ingest, struct worker *worker, const uint8_t *bytes,
                          size_t len_bytes, bool stacks_only)
{
    const struct wire_message *desc;
    const uint8_t *message;
    size_t pos = 0, length;

    while (wire_next(bytes, len_bytes, &pos, &desc, &message, &length))
        if (!stacks_only || (desc && desc->id == WIRE_STACK))
            handle(ingest, worker, desc, message, length);
    if (pos < len_bytes)
        ingest_count(ingest, "damaged_packets", 1);
    if (ingest->policy.on_crowded && store_is_crowded(ingest->store))
        ingest->policy.on_crowded(ingest->policy.ctx);
}

/* HELLO's start time is believed only when the process ended before the kernel could tell it. */
static uint64_t claimed_start(const uint8_t *packet, size_t len_bytes)
{
    const struct wire_message *desc;
    const uint8_t *message;
    size_t pos = 0, length;
    union wire_any any;

    if (!wire_next(packet, len_bytes, &pos, &desc, &message, &length) || !desc ||
        desc->id != WIRE_HELLO || !wire_decode(desc, message, length, &any))
        return 0;
    return any.hello.start_ticks;
}

static struct worker *sender_of(struct ingest *ingest, const struct ingest_sender *sender,
                                const uint8_t *packet, size_t len_bytes)
{
    uint64_t start_ticks = sender->start_ticks;
    struct worker *worker;

    if (start_ticks)
        worker = worker_ensure(&ingest->workers, sender->pid, start_ticks);
    else if ((start_ticks = claimed_start(packet, len_bytes)) != 0)
        worker = worker_ensure(&ingest->workers, sender->pid, start_ticks);
    else /* later packets of a process that said its start in the first */
        worker = worker_find_pid(&ingest->workers, sender->pid);
    if (worker && worker->parent == 0)
        worker->parent = sender->parent;
    return worker;
}

void ingest_packet(struct ingest *ingest, const struct ingest_sender *sender, const void *packet,
                   size_t len_bytes, int64_t now_us)
{
    ingest->now_us = now_us;
    struct worker *worker = sender_of(ingest, sender, packet, len_bytes);
    if (!worker || worker->has_ended) {
        ingest_count(ingest, "refused_packets", 1);
        return;
    }
    master_note_packet(ingest, worker, sender, packet, len_bytes);
    const struct known_bytes known = ingest_note_packet(worker, packet, len_bytes);
    const uint8_t *news = (const uint8_t *) packet + known.taken + known.told;
    ingest_take_messages(ingest, worker, news - known.told, known.told, true);
    ingest_take_messages(ingest, worker, news, len_bytes - known.taken - known.told, false);
}
