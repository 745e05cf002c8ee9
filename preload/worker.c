/* worker.c - see worker.h. */
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc/growth.h"
#include "alloc/ledger.h"
#include "alloc/mapped.h"
#include "alloc/samples.h"
#include "alloc/wrap_malloc.h"
#include "base/clock.h"
#include "base/cpu_clock.h"
#include "base/pace.h"
#include "base/process.h"
#include "base/thread.h"
#include "crash/crash.h"
#include "fpmscope/route_wish.h"
#include "fpmscope/wire.h"
#include "recorder/recorder.h"
#include "request/params.h"
#include "request/tracker.h"
#include "role.h"
#include "stack/worker_stacks.h"
#include "zend/armed.h"
#include "zend/chooser.h"
#include "zend_hooks.h"
#include "banned.h"

/* The books when the request in flight began. */
struct worker_books {
    struct ledger_sums sums;
    uint64_t mapped_bytes;
};

static struct {
    const struct config *config;
    struct session *session;
    struct param_table params;
    struct tracker tracker;
    struct recorder recorder;
    struct recorder_wishes wishes; /* as last heard */
    struct worker_stacks stacks;
    struct worker_books begin;
    struct ledger_sums deactivated;
    uint32_t lost_at; /* of the batch, when the stacks' texts were last forgotten */
    int listen_fd;
    uint64_t seq;
    struct zend_peak zend_peak;
    int64_t write_error_us;
    uint16_t write_errno;
    bool sees_script_end;
    uint32_t abilities;
} worker;

int worker_connection_fd = -1;
bool worker_minds_timer;

void worker_prepare(const struct config *config, const void *stack_top,
                    const struct unwind_loader *loader)
{
    worker.config = config;
    param_table_init(&worker.params, config->request_ids);
    worker_stacks_init(&worker.stacks, stack_top, loader);
}

void worker_candidate(struct session *session)
{
    const struct recorder_place place = {
        .pages = worker.config->pages,
        .socket = worker.config->socket,
        .uid = geteuid(),
    };

    worker.session = session;
    recorder_open(&worker.recorder, &place);
    if (!worker.recorder.shared)
        session_note(session, WIRE_NOTE_RECORDER, "no directory on a tmpfs that is ours alone");
}

void worker_discard(void)
{
    recorder_discard(&worker.recorder);
}

void worker_abandon(void)
{
    worker_connection_fd = -1;
    worker_minds_timer = false;
    samples_abandon();
    growth_end();
    armed_abandon();
    crash_disarm();
}

/* A child that a script starts must not carry the shim; the master keeps it for its reload. */
static void worker_leave_environment(void)
{
    const char *list = getenv("LD_PRELOAD");
    char rest[4096];

    if (!list || strlen(list) >= sizeof rest || !process_without_library(list, "libfpmscope", rest))
        return;
    if (*rest)
        setenv("LD_PRELOAD", rest, 1);
    else
        unsetenv("LD_PRELOAD");
}

static void worker_on_script_end(struct zend_peak peak)
{
    guard_reset(); /* a script that was cut short may have jumped over a guard_leave() */
    if (role_now != ROLE_WORKER)
        return;
    armed_script_ended();
    worker.zend_peak = peak;
    worker.tracker.script_ended = true;
}

static void worker_on_deactivated(void)
{
    if (role_now == ROLE_WORKER)
        worker.deactivated = ledger_sum();
}

static void worker_end_request(struct ledger_sums after);

/* php-fpm leaves its loop: nothing else will say that the request is over.  By now it has taken
 * down its FastCGI structures, so the books of deactivate count: little native memory moves between
 * that and an accept(). */
static void worker_on_last_request_over(void)
{
    int saved_errno = errno;

    if (role_now != ROLE_WORKER)
        return;
    if (worker.tracker.script_ended)
        worker_end_request(worker.deactivated);
    batch_flush(&worker.session->batch); /* nothing is held any longer */
    session_revive(worker.session, clock_unix_us());
    errno = saved_errno;
}

static bool worker_hook_zend(void)
{
    const struct zend_hooks hooks = {
        .on_script_end = worker_on_script_end,
        .on_deactivated = worker_on_deactivated,
        .on_last_request_over = worker_on_last_request_over,
    };

    return zend_hooks_install(&hooks);
}

static void worker_introduce(void)
{
    const struct recorder_page *page = worker.recorder.page;
    const struct wire_hello hello = {
        .version = WIRE_VERSION,
        .role = WIRE_ROLE_WORKER,
        .pid = page->pid,
        .ppid = page->ppid,
        .start_ticks = page->start_ticks,
        .time_us = page->created_us,
        .abilities = worker.abilities,
        .interval_bytes = samples_interval_bytes(),
        .php_version = {worker.stacks.build.version,
                        (uint16_t) strlen(worker.stacks.build.version)},
        .page = {worker.recorder.path, (uint16_t) strlen(worker.recorder.path)},
    };

    session_introduce(worker.session, &hello);
}

static void worker_watch_crashes(void)
{
    const struct crash_sources sources = {
        .page = worker.recorder.page,
        .engine = &worker.stacks.engine,
        .layout = &worker.stacks.layout,
        .socket_fd = &worker.session->link.fd,
    };

    crash_install(&sources);
}

static void worker_watch_memory(void)
{
    const bool exact = worker.config->exact != 0;
    const struct samples_setup samples = {
        .stacks = &worker.stacks,
        .batch = &worker.session->batch,
        .budget_ppm = (uint64_t) worker.config->budget_ppm,
        .budgets_ppm =
            (uint64_t) worker.config->budget_ppm + (uint64_t) worker.config->zend_budget_ppm,
        .interval_bytes = (uint64_t) worker.config->interval_bytes,
        .seed = worker.recorder.page->start_ticks << 32 | worker.recorder.page->pid,
        .exact = exact && worker.config->interval_bytes == 0,
        .grain_bits = wrap_malloc_grain_bits(),
    };
    const struct growth_setup growth = {
        .stacks = &worker.stacks,
        .batch = &worker.session->batch,
        .recorder = &worker.recorder,
    };
    const struct armed_setup armed = {
        .stacks = &worker.stacks,
        .batch = &worker.session->batch,
        .budget_ppm = !worker.sees_script_end ? 0
                      : exact                 ? CHOOSER_ALWAYS_PPM
                                              : (uint64_t) worker.config->zend_budget_ppm,
        .seed = samples.seed + 1,
        .exact = exact,
    };
    const char *unexact = samples_start(&samples);

    if (unexact)
        session_note(worker.session, WIRE_NOTE_EXACT, unexact);
    growth_start(&growth);
    armed_start(&armed);
}

/* What the stacks could not do: at the start, or at the first stack that the engine denies. */
static void worker_pass_note(void)
{
    const struct worker_stacks_note note = worker_stacks_take_note(&worker.stacks);
    const char *unarmed = armed_take_note();

    if (note.code != 0)
        session_note(worker.session, note.code, note.detail);
    if (unarmed)
        session_note(worker.session, WIRE_NOTE_ARMING, unarmed);
}

/* Everything here allocates before the first request's books are opened. */
static void worker_become(int listen_fd)
{
    struct recorder_page *page = worker.recorder.page;
    int saved_errno = errno;

    role_now = ROLE_WORKER;
    worker.listen_fd = listen_fd;
    pace_look();
    worker_leave_environment();
    if (guard_enter()) {
        worker.abilities = worker_stacks_start(&worker.stacks);
        worker_watch_crashes();
        guard_leave();
    }
    worker.sees_script_end = worker_hook_zend();
    worker.abilities |= (worker.sees_script_end ? WIRE_CAN_ZEND_PEAK : 0u) |
                        (worker.recorder.shared ? WIRE_CAN_RECORD : 0u);
    worker_pass_note();
    page->abilities = worker.abilities;
    memcpy(page->php_version, worker.stacks.build.version, sizeof page->php_version);
    worker_watch_memory();
    if (worker.recorder.shared)
        batch_share(&worker.session->batch, &page->outbox, &page->hold_us);
    worker_introduce();
    errno = saved_errno;
}

static void worker_hear_wishes(void)
{
    const struct recorder_wishes *wishes = &worker.wishes;

    if (!recorder_wishes_changed(&worker.recorder, &worker.wishes))
        return;
    samples_wish(wishes->route_hash ? 0 : wishes->interval_bytes,
                 wishes->flags & RECORDER_WISH_OFF);
    samples_wish_route(wishes->route_hash ? wishes->interval_bytes : 0);
}

static __attribute__((noinline)) void worker_begin_request(void)
{
    struct recorder_request *request = worker.tracker.request;
    int saved_errno = errno;

    guard_reset();
    worker_hear_wishes();
    worker.begin.sums = ledger_sum();
    worker.begin.mapped_bytes = mapped_bytes();
    worker.zend_peak = (struct zend_peak){0};
    worker.write_errno = 0;
    worker.write_error_us = 0;
    request->seq = ++worker.seq;
    request->phase = RECORDER_RUNNING;
    request->begin_us = clock_unix_us();
    request->live_before_bytes = ledger_live_bytes(worker.begin.sums);
    request->mapped_before_bytes = worker.begin.mapped_bytes;
    recorder_publish(&worker.recorder, request);
    worker_stacks_begin_request(&worker.stacks);
    growth_begin(request->seq);
    samples_begin(request->seq,
                  route_wish_is_about(&worker.wishes, request->uri, request->uri_len_bytes));
    armed_begin(request->seq, request->uri, request->uri_len_bytes);
    worker_minds_timer = armed_in_request();
    errno = saved_errno;
}

/* PHP 7.4 counts the block that memory_limit refused; a request that failed may be one of those. */
static uint64_t worker_zend_peak_bytes(const struct recorder_request *request)
{
    const struct zend_peak peak = worker.zend_peak;
    const bool is_doubtful = worker.stacks.build.version[0] == '7' && request->status >= 500;

    return is_doubtful && peak.chunks_bytes < peak.plain_bytes ? peak.chunks_bytes
                                                               : peak.plain_bytes;
}

static struct wire_request worker_describe(const struct recorder_request *request,
                                           struct ledger_sums after, struct samples_count samples)
{
    return (struct wire_request){.seq = request->seq,
                                 .begin_us = request->begin_us,
                                 .response_us = request->response_us,
                                 .end_us = clock_unix_us(),
                                 .flags = request->flags,
                                 .status = (uint16_t) request->status,
                                 .write_errno = worker.write_errno,
                                 .write_error_us = worker.write_error_us,
                                 .live_before_bytes = request->live_before_bytes,
                                 .live_after_bytes = ledger_live_bytes(after),
                                 .mapped_before_bytes = request->mapped_before_bytes,
                                 .mapped_after_bytes = mapped_bytes(),
                                 .zend_peak_bytes = worker_zend_peak_bytes(request),
                                 .allocated_bytes =
                                     after.allocated_bytes - worker.begin.sums.allocated_bytes,
                                 .samples = samples.taken,
                                 .throttled_samples = samples.throttled,
                                 .dropped_messages = worker.session->link.dropped_packets,
#define RECORDER_TEXT(field, bytes) .field = {request->field, request->field##_len_bytes},
                                 RECORDER_REQUEST_TEXTS(RECORDER_TEXT)
#undef RECORDER_TEXT
    };
}

static void worker_count(const struct wire_request *request)
{
    struct recorder_counters *counters = &worker.recorder.page->counters;

    counters->requests++;
    counters->live_bytes = request->live_after_bytes;
    counters->mapped_bytes = request->mapped_after_bytes;
    counters->allocated_bytes += request->allocated_bytes;
    counters->samples += request->samples;
    counters->throttled_samples += request->throttled_samples;
    counters->zend_peak_bytes = request->zend_peak_bytes;
    counters->dropped_messages = request->dropped_messages;
    counters->updated_us = (uint64_t) request->end_us;
}

static void worker_tell_request(const struct wire_request *message)
{
    struct batch *batch = &worker.session->batch;

    session_revive(worker.session, message->end_us);
    worker_pass_note();
    samples_tell_freed();
    samples_tell_seen();
    armed_tell_seen();
    batch_add(batch, WIRE_INDEX_REQUEST, message);
    samples_tell_survivors();
    armed_tell();
    batch_end_request(batch, message->end_us);
    session_revive(worker.session, message->end_us); /* it may have been found gone just now */
    if (batch->lost_at == worker.lost_at)
        return;
    worker.lost_at = batch->lost_at;
    worker_stacks_reset(&worker.stacks); /* nobody knows their texts now */
}

static void worker_end_request(struct ledger_sums after)
{
    struct recorder_request *request = worker.tracker.request;
    struct wire_request message;
    uint64_t cpu_ns;
    int saved_errno = errno;

    if (!tracker_in_request(&worker.tracker))
        return;
    guard_reset();
    worker_minds_timer = false;
    growth_end();
    cpu_ns = cpu_clock_look_ns(worker.seq);
    if (cpu_ns > 0)
        pace_look_again();
    message = worker_describe(request, after, samples_end(after.allocated_bytes, cpu_ns));
    worker_tell_request(&message);
    armed_end(request->uri, request->uri_len_bytes, message.zend_peak_bytes, cpu_ns,
              samples_left_ppm());
    worker_count(&message);
    request->phase = RECORDER_IDLE;
    tracker_finish(&worker.tracker, recorder_spare(&worker.recorder));
    errno = saved_errno;
}

void worker_before_accept(int listen_fd)
{
    if (role_now == ROLE_CANDIDATE)
        worker_become(listen_fd);
    else if (role_now == ROLE_WORKER && listen_fd == worker.listen_fd)
        worker_end_request(ledger_sum());
}

void worker_accepted(int listen_fd, int fd)
{
    if (role_now != ROLE_WORKER || listen_fd != worker.listen_fd || fd < 0)
        return;
    worker_connection_fd = fd;
    worker.tracker.params_wanted = &worker.params;
    tracker_connect(&worker.tracker, recorder_spare(&worker.recorder));
}

void worker_before_read(void)
{
    if (tracker_over_at_read(&worker.tracker, worker.sees_script_end))
        worker_end_request(ledger_sum());
}

void worker_did_read(const void *bytes, size_t len_bytes)
{
    if (tracker_read(&worker.tracker, bytes, len_bytes))
        worker_begin_request();
}

void worker_execution_timer(bool is_set)
{
    armed_timer(is_set);
}

void worker_did_write(const void *bytes, size_t len_bytes)
{
    struct recorder_request *request = worker.tracker.request;

    if (!tracker_wrote(&worker.tracker, bytes, len_bytes))
        return;
    request->response_us = clock_unix_us();
    request->phase = RECORDER_ANSWERED;
}

void worker_failed_to_write(int error)
{
    if (error == EAGAIN || error == EINTR || worker.write_errno != 0)
        return;
    worker.write_errno = (uint16_t) error;
    worker.write_error_us = clock_unix_us();
}

void worker_will_close(void)
{
    worker_connection_fd = -1;
    tracker_close(&worker.tracker);
}
