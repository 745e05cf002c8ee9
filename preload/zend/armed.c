/* armed.c - see armed.h. */
#include "zend/armed.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ppm.h"
#include "base/process.h"
#include "base/real.h"
#include "fpmscope/wire.h"
#include "zend/arming_policy.h"
#include "zend/chooser.h"
#include "zend/exact.h"
#include "zend/heap.h"
#include "zend/held_message.h"
#include "zend/picture.h"
#include "zend/sampled.h"
#include "banned.h"

static struct {
    struct armed_setup setup;
    struct chooser chooser;
    struct zend_heap heap;
    struct picture *picture; /* NULL until the first armed request */
    uint64_t cpu_ns;         /* of the process when it was last looked at */
    uint64_t seq;            /* of the request whose picture this is; 0: none */
    bool possible, installed, over, cut;
    const char *note;
} armed;

/* ---- giving up -------------------------------------------------------------------------------
 */

static void armed_give_up(const char *why)
{
    armed.possible = false;
    armed.chooser.budget_ppm = 0;
    armed.note = why;
}

const char *armed_take_note(void)
{
    const char *note = armed.note;

    armed.note = NULL;
    return note;
}

/* ---- arming and disarming --------------------------------------------------------------------
 */

static bool armed_policy_allows(const char *version)
{
    const enum arming_policy policy = arming_policy_of(version);

    return policy == ARMING_ALWAYS || (policy == ARMING_WITHOUT_JIT && !zend_heap_may_have_jit());
}

bool armed_start(const struct armed_setup *setup)
{
    armed.setup = *setup;
    armed.chooser.budget_ppm = 0;
    if (setup->budget_ppm == 0 || !setup->stacks->layout)
        return false;
    if (!armed_policy_allows(setup->stacks->build.version)) {
        armed_give_up("arming: not with this PHP and its JIT");
        return false;
    }
    if (process_memory_is_limited()) {
        armed_give_up("arming: memory is limited by RLIMIT_AS or RLIMIT_DATA");
        return false;
    }
    if (zend_heap_probe() < 0) {
        armed_give_up("arming: the Zend heap is not PHP's own");
        return false;
    }
    armed.chooser.budget_ppm = setup->budget_ppm;
    sampled_start(
        &(struct sampled_setup){.heap = &armed.heap, .stacks = setup->stacks, .seed = setup->seed});
    armed.possible = true;
    return true;
}

/* Behind malloc's back: it is neither the host's memory nor in its books. */
static bool armed_have_picture(void)
{
    void *memory;

    if (armed.picture)
        return true;
    memory = real.mmap(NULL, sizeof *armed.picture, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        armed_give_up("arming: no memory for the picture");
        return false;
    }
    armed.picture = memory;
    return true;
}

static bool armed_have_exact(void)
{
    const struct exact_setup exact = {
        .heap = &armed.heap,
        .stacks = armed.setup.stacks,
        .stack_of_now = sampled_stack_of_now,
    };

    if (!armed.setup.exact || exact_begin(&exact, armed.picture))
        return true;
    armed_give_up("arming: no memory for the exact mode");
    return false;
}

/* Pages that the system zeroes must be faulted in again: only a large picture is given back. */
static void armed_clear_picture(void)
{
    if (picture_used_bytes(armed.picture) <= ARMED_KEPT_BYTES)
        picture_clear(armed.picture);
    else if (syscall(SYS_madvise, armed.picture, sizeof *armed.picture, MADV_DONTNEED) < 0)
        memset(armed.picture, 0, sizeof *armed.picture);
    if (armed.setup.exact)
        exact_end();
    armed.seq = 0;
}

static uint64_t armed_interval_for(uint32_t peak_kib)
{
    uint64_t interval_bytes = (uint64_t) peak_kib * 1024 / ARMED_SAMPLES_WANTED;

    if (peak_kib == 0)
        return SAMPLED_FIRST_INTERVAL_BYTES;
    if (interval_bytes < ARMED_MIN_INTERVAL_BYTES)
        return ARMED_MIN_INTERVAL_BYTES;
    return interval_bytes < ARMED_MAX_INTERVAL_BYTES ? interval_bytes : ARMED_MAX_INTERVAL_BYTES;
}

static void armed_install(void)
{
    const int r =
        zend_heap_install(&armed.heap, armed.setup.exact ? &exact_handlers : &sampled_handlers);

    armed.installed = r == 0;
    if (r < 0)
        armed_give_up(r == -EBUSY ? "arming: another tool has the Zend heap"
                                  : "arming: the Zend heap is not as expected");
}

static void armed_remove(void)
{
    const enum zend_heap_end end = zend_heap_remove(&armed.heap);

    armed.installed = false;
    armed.cut |= end == ZEND_HEAP_CUT;
    if (end == ZEND_HEAP_FOREIGN)
        armed_give_up("arming: another tool took the Zend heap over");
}

static void armed_arm(uint64_t seq, uint32_t peak_kib)
{
    if (!armed_have_picture() || !armed_have_exact())
        return;
    if (armed.seq != 0)
        armed_clear_picture(); /* of a request whose end nobody saw */
    armed.seq = seq;
    armed.cut = armed.over = false;
    sampled_begin(armed.picture, armed.setup.exact ? 1 : armed_interval_for(peak_kib));
    armed_install();
}

/* The first request of a worker is not like others: it fills the caches. */
void armed_begin(uint64_t seq, const char *uri, size_t uri_len_bytes)
{
    const int saved_errno = errno;
    uint32_t peak_kib;

    if (likely(chooser_is_broke(&armed.chooser)) || armed.installed ||
        armed.setup.batch->link->fd < 0 ||
        (seq == 1 && armed.chooser.budget_ppm < CHOOSER_ALWAYS_PPM))
        return;
    if (chooser_wants(&armed.chooser, uri, uri_len_bytes, &peak_kib))
        armed_arm(seq, peak_kib);
    errno = saved_errno;
}

static bool armed_runs_php(void)
{
    const struct worker_stacks *stacks = armed.setup.stacks;
    const void *execute_data;

    if (!stacks->layout)
        return true;
    memcpy(&execute_data,
           (const char *) stacks->engine.executor_globals + stacks->layout->current_execute_data,
           sizeof execute_data);
    return execute_data != NULL;
}

bool armed_in_request(void)
{
    return armed.seq != 0;
}

void armed_timer(bool is_set)
{
    if (armed.seq == 0)
        return;
    /* set_time_limit() unsets it, too, but from PHP code; .user.ini does with none running, and
     * sets it again. */
    if (!is_set && armed.installed && !armed_runs_php())
        armed_remove();
    else if (is_set && !armed.installed && armed.possible && !armed.cut && !armed.over)
        armed_install();
}

void armed_script_ended(void)
{
    armed.over = true;
    if (armed.installed)
        armed_remove();
}

void armed_abandon(void)
{
    armed_script_ended();
    armed.possible = false;
    armed.chooser.budget_ppm = 0;
    armed.seq = 0;
}

/* ---- the end of a request -------------------------------------------------------------------
 */

static struct held_request armed_held_request(void)
{
    return (struct held_request){
        .stacks = armed.setup.stacks,
        .batch = armed.setup.batch,
        .seq = armed.seq,
        .interval_bytes = sampled_interval_bytes(),
        .flags = armed.cut ? WIRE_HELD_CUT : 0,
        .most = armed.setup.exact ? ARMED_EXACT_HELD_MAX : ARMED_HELD_MAX,
    };
}

void armed_tell_seen(void)
{
    struct held_request request;

    if (armed.seq == 0)
        return;
    armed_script_ended();
    request = armed_held_request();
    held_message_seen(armed.picture, &request);
}

void armed_tell(void)
{
    struct held_request request;

    if (armed.seq == 0)
        return;
    armed_script_ended();
    request = armed_held_request();
    picture_finish(armed.picture);
    held_message_tell(armed.picture, &request);
}

/* The purse fills more slowly where less of the budget is left. */
static void armed_look(uint64_t cpu_ns, uint64_t left_ppm)
{
    if (armed.cpu_ns > 0 && cpu_ns > armed.cpu_ns)
        chooser_earn(&armed.chooser, ppm_of(cpu_ns - armed.cpu_ns, left_ppm));
    armed.cpu_ns = cpu_ns;
}

void armed_end(const char *uri, size_t uri_len_bytes, uint64_t peak_bytes, uint64_t cpu_ns,
               uint64_t left_ppm)
{
    const bool was_armed = armed.seq != 0;
    const uint32_t peak_kib = (uint32_t) (peak_bytes / 1024);

    if (unlikely(was_armed || peak_kib >= CHOOSER_HEAVY_KIB) && armed.possible)
        chooser_learn(&armed.chooser, uri, uri_len_bytes, peak_kib, was_armed);
    if (was_armed) {
        chooser_spend(&armed.chooser, (int64_t) sampled_cost_ns());
        armed_clear_picture();
    }
    if (cpu_ns > 0)
        armed_look(cpu_ns, left_ppm);
}
