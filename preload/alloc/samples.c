/* samples.c - see samples.h. */
#include "alloc/samples.h"

#include <errno.h>
#include <stdbool.h>

#include "alloc/closeup.h"
#include "alloc/controller.h"
#include "alloc/ledger.h"
#include "alloc/sampler.h"
#include "alloc/stack_message.h"
#include "alloc/toll.h"
#include "base/clock.h"
#include "base/loader.h"
#include "base/marks.h"
#include "base/pace.h"
#include "base/ppm.h"
#include "base/process.h"
#include "base/thread.h"
#include "banned.h"

struct live_table samples_live;

static struct {
    struct samples_setup setup;
    struct sampler sampler;
    bool exact;
    bool off;
    bool in_request;                /* one that is sampled */
    uint64_t drawn_interval_bytes;  /* that the gap to the next pick was drawn with; 0: none is */
    uint64_t wished_interval_bytes; /* 0: the controller's choice */
    uint64_t usual_interval_bytes;  /* put aside during a close-up; 0: none */
    struct closeup closeup;
    uint64_t last_id;
    uint64_t seq;        /* read by other threads */
    int64_t begin_ns;    /* of this request's first pick; 0: not yet */
    uint64_t request_ns; /* spent in this request */
    uint64_t spent_ns;   /* since the controller last looked */
    uint64_t cpu_ns;     /* of the process, when it did; 0: it never did */
    uint64_t allocated_bytes;
    uint64_t left_ppm; /* of the budgets, by the toll */
    uint64_t debt_ns;
    struct toll toll;
    struct samples_count count;
    uint32_t seen_count;
    uint32_t seen[SAMPLES_SEEN_MAX]; /* stacks of this request's samples */
    uint32_t fresh_count;
    uint16_t fresh[SAMPLES_PER_REQUEST_MAX]; /* places of this request's samples */
    uint64_t fresh_ids[SAMPLES_PER_REQUEST_MAX];
} samples;

/* Every malloc() of this thread goes aside from here on, and every free() in the process.  Returns
 * why not, NULL when it does. */
static const char *samples_start_exact(const struct samples_setup *setup)
{
    const struct exact_native_setup exact = {
        .stacks = setup->stacks, .batch = setup->batch, .grain_bits = setup->grain_bits};

    if (process_memory_is_limited())
        return "exact mode: native blocks are sampled instead: "
               "memory is limited by RLIMIT_AS or RLIMIT_DATA";
    if (!exact_native_start(&exact))
        return "exact mode: native blocks are sampled instead: "
               "the system refuses 1.2 GB of address space";
    live_stop_all(&samples_live);
    return NULL;
}

const char *samples_start(const struct samples_setup *setup)
{
    const char *unexact = setup->exact ? samples_start_exact(setup) : NULL;

    samples.setup = *setup;
    samples.left_ppm = PPM;
    samples.exact = setup->exact && !unexact;
    if (samples.exact)
        samples.setup.interval_bytes = 1;
    samples.wished_interval_bytes = samples.setup.interval_bytes;
    sampler_init(&samples.sampler, setup->seed,
                 samples.setup.interval_bytes ? samples.setup.interval_bytes
                                              : CONTROLLER_FIRST_INTERVAL_BYTES);
    return unexact;
}

void samples_wish(uint64_t interval_bytes, bool off)
{
    samples.off = off;
    samples.wished_interval_bytes = interval_bytes ? interval_bytes : samples.setup.interval_bytes;
    samples.debt_ns = 0;
    if (samples.wished_interval_bytes)
        samples.sampler.interval_bytes = samples.wished_interval_bytes;
}

void samples_wish_route(uint64_t interval_bytes)
{
    closeup_wish(&samples.closeup, interval_bytes);
}

/* Back to what the interval was before a request of the wished route. */
static void samples_leave_closeup(void)
{
    if (samples.usual_interval_bytes)
        samples.sampler.interval_bytes = samples.usual_interval_bytes;
    samples.usual_interval_bytes = 0;
}

static void samples_end_closeup(void)
{
    samples_leave_closeup();
    closeup_end(&samples.closeup);
}

static void samples_begin_closeup(void)
{
    const uint64_t usual_bytes = samples.sampler.interval_bytes;

    samples.sampler.interval_bytes = closeup_begin(&samples.closeup, usual_bytes);
    if (samples.closeup.is_on)
        samples.usual_interval_bytes = usual_bytes;
}

uint64_t samples_interval_bytes(void)
{
    return samples.sampler.interval_bytes;
}

static void samples_pick_next(void)
{
    ledger_sample_after(sampler_next_gap_bytes(&samples.sampler));
    samples.drawn_interval_bytes = samples.sampler.interval_bytes;
}

/* What is left of the gap goes on from the last request, which costs nothing: the belt has no
 * memory.  Unless the interval is another by now. */
void samples_begin(uint64_t seq, bool is_wished_route)
{
    __atomic_store_n(&samples.seq, seq, __ATOMIC_RELAXED);
    samples.count = (struct samples_count){0};
    samples.fresh_count = 0;
    samples.seen_count = 0;
    samples.request_ns = 0;
    samples.begin_ns = 0;
    /* Without a collector there is nobody to tell. */
    samples.in_request =
        !samples.off && samples.setup.budget_ppm > 0 && samples.setup.batch->link->fd >= 0;
    if (samples.exact) {
        exact_native_begin(seq);
        ledger_sample_after(samples.in_request ? 0 : LEDGER_NEVER);
        return;
    }
    if (is_wished_route && samples.in_request)
        samples_begin_closeup();
    if (samples.drawn_interval_bytes != samples.sampler.interval_bytes)
        samples_pick_next();
}

static void samples_adjust(uint64_t cpu_ns)
{
    const uint64_t budget_ppm = ppm_of(samples.setup.budget_ppm, samples.left_ppm);
    const bool had_debt = samples.debt_ns > 0;

    samples.debt_ns = controller_owe(samples.debt_ns, samples.sampler.interval_bytes,
                                     samples.spent_ns, cpu_ns, budget_ppm);
    if (!had_debt)
        samples.sampler.interval_bytes =
            controller_adjust(samples.sampler.interval_bytes, samples.spent_ns, cpu_ns, budget_ppm);
}

/* Something was allocated, and this much CPU time used, since the last look. */
static void samples_look(uint64_t allocated_bytes, uint64_t cpu_ns)
{
    if (samples.exact)
        return;
    samples.left_ppm = toll_leaves_ppm(
        toll_hooks_ppm(&samples.toll, pace_here(TOLL_PAIR_PS), allocated_bytes, cpu_ns),
        samples.setup.budgets_ppm);
    closeup_earn(&samples.closeup, cpu_ns, samples.setup.budget_ppm);
    if (!samples.wished_interval_bytes)
        samples_adjust(cpu_ns);
}

struct samples_count samples_end(uint64_t allocated_bytes, uint64_t cpu_ns)
{
    samples.in_request = false;
    samples_end_closeup();
    samples.spent_ns += samples.request_ns;
    if (cpu_ns > 0) {
        if (samples.cpu_ns > 0)
            samples_look(allocated_bytes - samples.allocated_bytes, cpu_ns - samples.cpu_ns);
        samples.spent_ns = 0;
        samples.cpu_ns = cpu_ns;
        samples.allocated_bytes = allocated_bytes;
    }
    return samples.count;
}

uint64_t samples_left_ppm(void)
{
    return samples.left_ppm;
}

void samples_abandon(void)
{
    samples.off = true;
    samples_end(0, 0);
    if (samples.exact)
        exact_native_stop();
    samples.exact = false;
}

static void samples_forget(void *context, const struct live_sample *sample)
{
    struct batch *batch = context;
    const struct wire_freed message = {
        .seq = sample->freed_seq, .id = sample->id, .realloced = sample->realloced};

    if (sample->announced)
        batch_add(batch, WIRE_INDEX_FREED, &message);
}

void samples_tell_freed(void)
{
    if (samples.exact)
        exact_native_tell_changes(samples.seq);
    live_drain(&samples_live, samples_forget, samples.setup.batch);
}

void samples_tell_survivors(void)
{
    if (samples.exact)
        exact_native_tell_survivors();
    for (uint32_t i = 0; i < samples.fresh_count; i++) {
        struct live_sample *sample = live_at(&samples_live, samples.fresh[i]);
        const struct wire_sample message = {
            .seq = sample->seq,
            .id = sample->id,
            .size_bytes = sample->size_bytes,
            .interval_bytes = sample->interval_bytes,
            .stack = sample->stack,
        };

        if (!live_is_live(&samples_live, samples.fresh[i], samples.fresh_ids[i]))
            continue;
        /* First, so that a free by another thread right now is told after it. */
        sample->announced = batch_add(samples.setup.batch, WIRE_INDEX_SAMPLE, &message);
    }
    samples.fresh_count = 0;
}

/* A few different ones are enough: some of them lie below the controller. */
static void samples_note_seen(uint32_t stack)
{
    if (stack == 0 || samples.seen_count == SAMPLES_SEEN_MAX)
        return;
    for (uint32_t i = 0; i < samples.seen_count; i++)
        if (samples.seen[i] == stack)
            return;
    samples.seen[samples.seen_count++] = stack;
}

void samples_tell_seen(void)
{
    if (samples.exact)
        exact_native_tell_seen();
    stack_message_seen(samples.setup.batch, samples.seq, samples.seen, samples.seen_count);
    samples.seen_count = 0;
}

static bool samples_take(void *ptr, size_t bytes, const void *caller)
{
    struct live_sample sample = {
        .id = ++samples.last_id,
        .seq = samples.seq,
        .size_bytes = bytes,
        .interval_bytes = samples.sampler.interval_bytes,
    };
    uint16_t place;

    sample.stack = stack_message_take(samples.setup.stacks, samples.setup.batch, caller,
                                      WORKER_STACKS_PHP | WORKER_STACKS_NATIVE);
    samples_note_seen(sample.stack);
    samples_tell_freed();
    place = live_insert(&samples_live, ptr, &sample);
    if (place == LIVE_NONE)
        return false;
    samples.fresh[samples.fresh_count] = place;
    samples.fresh_ids[samples.fresh_count++] = sample.id;
    return true;
}

static void samples_mind_the_budget(int64_t begin_ns)
{
    int64_t end_ns = clock_steady_ns();

    if (samples.usual_interval_bytes) {
        if (!closeup_spend(&samples.closeup, (uint64_t) (end_ns - begin_ns)))
            samples_leave_closeup();
        return;
    }
    samples.request_ns += (uint64_t) (end_ns - begin_ns);
    if (samples.wished_interval_bytes || samples.count.taken % SAMPLES_BRAKE_EVERY != 0)
        return;
    samples.sampler.interval_bytes =
        controller_brake(samples.sampler.interval_bytes, samples.request_ns,
                         (uint64_t) (end_ns - samples.begin_ns), samples.setup.budget_ppm);
}

static void samples_take_exact(void *ptr, size_t bytes, const void *caller)
{
    if (!samples.in_request)
        return;
    if (likely(exact_native_born(ptr, bytes, caller)))
        samples.count.taken++;
    else
        samples.count.throttled++;
}

/* A close-up has a purse of its own. */
static bool samples_may_take(void)
{
    return !loader_is_busy() && samples.fresh_count < SAMPLES_PER_REQUEST_MAX &&
           (samples.debt_ns == 0 || samples.usual_interval_bytes != 0);
}

/* In a request: the pick is taken if that is possible now. */
static void samples_pick(void *ptr, size_t bytes, const void *caller)
{
    int64_t begin_ns;

    toll_met(&samples.toll, bytes, samples.drawn_interval_bytes);
    if (!samples_may_take()) {
        samples.count.throttled++;
    } else if (guard_enter()) {
        begin_ns = clock_steady_ns();
        if (samples.begin_ns == 0)
            samples.begin_ns = begin_ns;
        if (samples_take(ptr, bytes, caller))
            samples.count.taken++;
        else
            samples.count.throttled++;
        samples_mind_the_budget(begin_ns);
        guard_leave();
    }
}

static __attribute__((noinline)) void samples_due_for_one(void *ptr, size_t bytes,
                                                          const void *caller)
{
    const int saved_errno = errno;

    if (samples.in_request)
        samples_pick(ptr, bytes, caller);
    samples_pick_next();
    errno = saved_errno;
}

void samples_due(void *ptr, size_t bytes, const void *caller)
{
    if (samples.exact)
        samples_take_exact(ptr, bytes, caller);
    else
        samples_due_for_one(ptr, bytes, caller);
}

void samples_freed(void *ptr)
{
    uint16_t place;

    if (samples.exact) {
        exact_native_died(ptr);
        return;
    }
    place = live_take(&samples_live, ptr);
    if (place != LIVE_NONE)
        live_release(&samples_live, place, __atomic_load_n(&samples.seq, __ATOMIC_RELAXED), false);
}

struct samples_move samples_realloc_begin(void *ptr)
{
    struct samples_move move = {.place = LIVE_NONE};

    if (!ptr)
        return move;
    if (samples.exact)
        move.claim = exact_native_claim(ptr);
    else
        move.place = live_take(&samples_live, ptr);
    return move;
}

static void samples_realloc_end_exact(struct exact_claim claim, void *ptr, bool gone)
{
    if (gone)
        exact_native_release(claim, true);
    else
        exact_native_restore(ptr, claim);
}

void samples_realloc_end(struct samples_move move, void *ptr, bool gone)
{
    if (move.claim.group != 0)
        samples_realloc_end_exact(move.claim, ptr, gone);
    if (move.place == LIVE_NONE)
        return;
    if (gone)
        live_release(&samples_live, move.place, __atomic_load_n(&samples.seq, __ATOMIC_RELAXED),
                     true);
    else
        live_put_back(&samples_live, move.place, ptr);
}
