/* armed.c - see armed.h. */
#include "zend/armed.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alloc/sampler.h"
#include "base/clock.h"
#include "base/real.h"
#include "base/thread.h"
#include "fpmscope/wire.h"
#include "zend/arming_policy.h"
#include "zend/chooser.h"
#include "zend/exact.h"
#include "zend/heap.h"
#include "zend/picture.h"
#include "banned.h"

static struct {
    struct armed_setup setup;
    struct chooser chooser;
    struct sampler sampler;
    struct zend_heap heap;
    struct picture *picture; /* NULL until the first armed request */
    int64_t until_pick_bytes;
    uint64_t calls, spent_ns; /* of this request */
    uint64_t cpu_ns;          /* of the process when it was last looked at */
    uint64_t seq;             /* of the request whose picture this is; 0: none */
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

/* ---- sampling --------------------------------------------------------------------------------
 */

static void armed_pick_next(void)
{
    armed.until_pick_bytes = (int64_t) sampler_next_gap_bytes(&armed.sampler);
}

/* The stack of this moment, with its text when it is new in this picture. */
static uint32_t armed_stack(void)
{
    struct php_stack php;
    uint64_t hash = worker_stacks_walk(armed.setup.stacks, &php);
    size_t room_bytes, len_bytes;
    uint32_t stack;
    char *room;
    bool is_new;

    stack = picture_stack_of(armed.picture, hash, &is_new);
    if (!is_new)
        return stack;
    room = picture_text_room(armed.picture, &room_bytes);
    if (room_bytes > WORKER_STACKS_TEXT_BYTES)
        room_bytes = WORKER_STACKS_TEXT_BYTES;
    len_bytes = php_stack_write(&php, NULL, room, room_bytes);
    picture_text_written(armed.picture, stack, len_bytes);
    return stack;
}

static void armed_make_room(void)
{
    picture_thin(armed.picture, 4 * armed.sampler.interval_bytes, armed.sampler.random);
    armed.sampler.interval_bytes *= 2;
}

static void armed_add(void *ptr, size_t asked_bytes, double chance, uint32_t stack)
{
    const struct picture_block block = {
        .address = (uintptr_t) ptr,
        .seen_bytes = asked_bytes,
        .weight_bytes = picture_weight_bytes(_zend_mm_block_size(armed.heap.heap, ptr), chance),
        .chance = (float) chance,
        .stack = stack,
    };

    if (!picture_add(armed.picture, &block)) {
        armed_make_room();
        picture_add(armed.picture, &block);
    }
}

/* The heap's handlers are closed here: asking for a block's size must see the heap as it is. */
static void armed_take(void *ptr, size_t asked_bytes, double chance)
{
    const int64_t begin_ns = clock_steady_ns();
    const int saved_errno = errno;

    if (!guard_enter())
        return;
    zend_heap_open(&armed.heap);
    armed_add(ptr, asked_bytes, chance, armed_stack());
    zend_heap_close(&armed.heap);
    guard_leave();
    armed.spent_ns += (uint64_t) (clock_steady_ns() - begin_ns);
    errno = saved_errno;
}

static __attribute__((noinline)) void armed_pick(void *ptr, size_t asked_bytes)
{
    armed_pick_next();
    if (ptr)
        armed_take(ptr, asked_bytes, picture_chance(asked_bytes, armed.sampler.interval_bytes));
}

/* Has it passed a power of two?  Then whoever grows it by small steps is asked now and then. */
static bool armed_has_doubled(uint64_t was_bytes, uint64_t is_bytes)
{
    return is_bytes > was_bytes && __builtin_clzll(was_bytes | 1) != __builtin_clzll(is_bytes);
}

/* A sampled block has a new size.  What it grew by had its own chance; a block that has doubled
 * belongs to who made it grow. */
static __attribute__((noinline)) void armed_resized(const struct picture_block *old, void *ptr,
                                                    size_t asked_bytes)
{
    double chance = (double) old->chance;

    if (asked_bytes > old->seen_bytes)
        chance += (1 - chance) *
                  picture_chance(asked_bytes - old->seen_bytes, armed.sampler.interval_bytes);
    if (armed_has_doubled(old->seen_bytes, asked_bytes)) {
        armed_take(ptr, asked_bytes, chance);
        return;
    }
    zend_heap_open(&armed.heap);
    armed_add(ptr, asked_bytes > old->seen_bytes ? asked_bytes : old->seen_bytes, chance,
              old->stack);
    zend_heap_close(&armed.heap);
}

/* ---- the handlers ----------------------------------------------------------------------------
 */

static inline bool armed_is_due(size_t bytes)
{
    armed.calls++;
    armed.until_pick_bytes -= (int64_t) bytes;
    return armed.until_pick_bytes < 0;
}

static void *armed_on_allocate(size_t bytes)
{
    void *ptr;

    zend_heap_open(&armed.heap);
    ptr = _zend_mm_alloc(armed.heap.heap, bytes);
    zend_heap_close(&armed.heap);
    if (unlikely(armed_is_due(bytes)))
        armed_pick(ptr, bytes);
    return ptr;
}

static void armed_on_release(void *ptr)
{
    struct picture_block *block = picture_find(armed.picture, (uintptr_t) ptr);

    if (unlikely(block != NULL))
        picture_remove(armed.picture, block);
    armed.calls++;
    zend_heap_open(&armed.heap);
    _zend_mm_free(armed.heap.heap, ptr);
    zend_heap_close(&armed.heap);
}

static void *armed_on_resize(void *ptr, size_t bytes)
{
    struct picture_block *block = picture_find(armed.picture, (uintptr_t) ptr), old;
    size_t old_bytes = 0;
    void *moved;

    if (block)
        old = *block;
    zend_heap_open(&armed.heap);
    if (!block && ptr)
        old_bytes = _zend_mm_block_size(armed.heap.heap, ptr);
    moved = _zend_mm_realloc(armed.heap.heap, ptr, bytes);
    zend_heap_close(&armed.heap);
    if (block) {
        picture_remove(armed.picture, block);
        armed_resized(&old, moved, bytes);
    } else if (armed_is_due(bytes > old_bytes ? bytes - old_bytes : 0)) {
        armed_pick(moved, bytes);
    }
    return moved;
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
    if (zend_heap_probe() < 0) {
        armed_give_up("arming: the Zend heap is not PHP's own");
        return false;
    }
    armed.chooser.budget_ppm = setup->budget_ppm;
    sampler_init(&armed.sampler, setup->seed, ARMED_FIRST_INTERVAL_BYTES);
    armed.possible = true;
    return true;
}

/* The index in the picture; also for exact.h, where the heap may be open already. */
static uint32_t armed_stack_guarded(void)
{
    const int saved_errno = errno;
    uint32_t stack;

    if (!guard_enter())
        return PICTURE_OTHERS;
    stack = armed_stack();
    guard_leave();
    errno = saved_errno;
    return stack;
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
        .stack_of_now = armed_stack_guarded,
    };

    if (!armed.setup.exact || exact_begin(&exact, armed.picture))
        return true;
    armed_give_up("arming: no memory for the exact mode");
    return false;
}

/* All zero again, and the memory goes back to the system. */
static void armed_clear_picture(void)
{
    if (syscall(SYS_madvise, armed.picture, sizeof *armed.picture, MADV_DONTNEED) < 0)
        memset(armed.picture, 0, sizeof *armed.picture);
    if (armed.setup.exact)
        exact_end();
    armed.seq = 0;
}

static uint64_t armed_interval_for(uint32_t peak_kib)
{
    uint64_t interval_bytes = (uint64_t) peak_kib * 1024 / ARMED_SAMPLES_WANTED;

    if (peak_kib == 0)
        return ARMED_FIRST_INTERVAL_BYTES;
    if (interval_bytes < ARMED_MIN_INTERVAL_BYTES)
        return ARMED_MIN_INTERVAL_BYTES;
    return interval_bytes < ARMED_MAX_INTERVAL_BYTES ? interval_bytes : ARMED_MAX_INTERVAL_BYTES;
}

static void armed_install(void)
{
    static const struct zend_handlers handlers = {armed_on_allocate, armed_on_release,
                                                  armed_on_resize};
    const int r = zend_heap_install(&armed.heap, armed.setup.exact ? &exact_handlers : &handlers);

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
    armed.calls = armed.spent_ns = 0;
    armed.cut = armed.over = false;
    armed.sampler.interval_bytes = armed.setup.exact ? 1 : armed_interval_for(peak_kib);
    armed_pick_next();
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

/* ---- telling ---------------------------------------------------------------------------------
 */

static struct wire_held armed_held(const struct picture_stack *stack, uint32_t id)
{
    return (struct wire_held){
        .seq = armed.seq,
        .stack = id,
        .bytes = stack->peak_bytes,
        .samples = stack->peak_blocks,
        .interval_bytes = armed.sampler.interval_bytes,
        .flags = armed.cut ? WIRE_HELD_CUT : 0,
    };
}

/* The id of its text, which is told first; 0 when that is not possible. */
static uint32_t armed_intern(const struct picture_stack *stack)
{
    struct stack_text text = {.hash = stack->hash};
    const uint32_t id = worker_stacks_intern(armed.setup.stacks, &text);
    const struct wire_stack message = {
        .id = id,
        .php = {armed.picture->texts + stack->text_at, (uint16_t) stack->text_len_bytes},
    };

    if (stack->text_len_bytes == 0)
        return 0;
    if (!text.is_new || batch_add(armed.setup.batch, WIRE_INDEX_STACK, &message))
        return id;
    worker_stacks_unsent(armed.setup.stacks, &text);
    return 0;
}

static struct picture_stack *armed_largest(uint64_t at_least_bytes)
{
    struct picture_stack *largest = NULL;

    for (uint32_t i = PICTURE_OTHERS + 1; i < armed.picture->stack_count; i++) {
        struct picture_stack *stack = &armed.picture->stacks[i];

        if (stack->peak_bytes >= at_least_bytes &&
            (!largest || stack->peak_bytes > largest->peak_bytes))
            largest = stack;
    }
    return largest;
}

static void armed_move(struct picture_stack *from, struct picture_stack *to)
{
    to->peak_bytes += from->peak_bytes;
    to->peak_blocks += from->peak_blocks;
    from->peak_bytes = from->peak_blocks = 0;
}

/* The largest first; each is forgotten when it is told.  What is left is one number. */
static void armed_tell_stacks(void)
{
    const uint64_t at_least_bytes = armed.picture->peak_bytes / 2048 + 1;
    struct picture_stack others = armed.picture->stacks[PICTURE_OTHERS], told, *stack;
    struct wire_held message;
    const int most = armed.setup.exact ? ARMED_EXACT_HELD_MAX : ARMED_HELD_MAX;

    for (int i = 0; i < most && (stack = armed_largest(at_least_bytes)); i++) {
        const uint32_t id = armed_intern(stack);

        told = (struct picture_stack){0};
        armed_move(stack, id != 0 ? &told : &others);
        message = armed_held(&told, id);
        if (id != 0)
            batch_add(armed.setup.batch, WIRE_INDEX_HELD, &message);
    }
    while ((stack = armed_largest(1)))
        armed_move(stack, &others);
    message = armed_held(&others, 0);
    batch_add(armed.setup.batch, WIRE_INDEX_HELD, &message);
}

void armed_tell(void)
{
    if (armed.seq == 0)
        return;
    armed_script_ended();
    picture_finish(armed.picture);
    armed_tell_stacks();
}

void armed_end(const char *uri, size_t uri_len_bytes, uint64_t peak_bytes, uint64_t cpu_ns)
{
    const bool was_armed = armed.seq != 0;
    const uint32_t peak_kib = (uint32_t) (peak_bytes / 1024);

    if (unlikely(was_armed || peak_kib >= CHOOSER_HEAVY_KIB) && armed.possible)
        chooser_learn(&armed.chooser, uri, uri_len_bytes, peak_kib, was_armed);
    if (was_armed) {
        chooser_spend(&armed.chooser,
                      (int64_t) (ARMED_REQUEST_NS + armed.spent_ns + armed.calls * ARMED_CALL_NS));
        armed_clear_picture();
    }
    if (cpu_ns > 0) {
        if (armed.cpu_ns > 0 && cpu_ns > armed.cpu_ns)
            chooser_earn(&armed.chooser, cpu_ns - armed.cpu_ns);
        armed.cpu_ns = cpu_ns;
    }
}
