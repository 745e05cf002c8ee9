/* test_native_stack.c - return addresses, compared with what the C library's own unwinder says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <alloca.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "fpmscope/limits.h"
#include "stack/native_stack.h"

#define NOINLINE __attribute__((noinline, noclone))

static const void *stack_top;
static struct native_stack native;
static uintptr_t ours[LIMIT_NATIVE_FRAMES];
static void *theirs[LIMIT_NATIVE_FRAMES + 1];
static size_t our_count, their_count;

static int setup(void **state)
{
    (void) state;
    memset(&native, 0, sizeof native);
    native_stack_init(&native, stack_top, NULL);
    assert_true(native_stack_start(&native));
    return 0;
}

/* A function whose callers are compared; what it does with its frame is the test. */
NOINLINE static int take_both(void *data)
{
    const void *caller = __builtin_return_address(0);

    (void) data;
    our_count = native_stack_capture(&native, caller, ours, LIMIT_NATIVE_FRAMES);
    their_count = (size_t) backtrace(theirs, LIMIT_NATIVE_FRAMES + 1);
    return 1;
}

/* Theirs begin in take_both(), or further in when a sanitizer is in between. */
static void assert_same_callers(void)
{
    size_t first = 0;

    while (first < their_count && (uintptr_t) theirs[first] != ours[0])
        first++;
    assert_in_range(first, 1, 2);
    assert_true(our_count > 2);
    assert_in_range(our_count, their_count - first, LIMIT_NATIVE_FRAMES);
    assert_memory_equal(ours, theirs + first, (their_count - first) * sizeof *ours);
}

static void test_callers_are_those_that_the_c_library_finds(void **state)
{
    (void) state;
    take_both(NULL);
    assert_same_callers();
    take_both(NULL); /* by remembered rules */
    assert_same_callers();
}

NOINLINE static int with_alloca(size_t size_bytes)
{
    volatile char *room = alloca(size_bytes);

    room[0] = 1;
    return take_both((void *) room) + room[0];
}

static void test_a_frame_of_variable_size_is_left_by_its_frame_pointer(void **state)
{
    (void) state;
    with_alloca((size_t) (getenv("PATH") ? 1000 : 2000));
    assert_same_callers();
}

NOINLINE static int with_aligned(int depth)
{
    _Alignas(64) volatile char room[128];
    volatile char *more = alloca((size_t) depth + 1);

    room[depth] = more[0] = 1;
    return (depth ? with_aligned(depth - 1) : take_both((void *) room)) + room[depth] + more[0];
}

static void test_a_frame_that_aligns_the_stack_is_left_by_what_it_stored(void **state)
{
    (void) state;
    with_aligned(3);
    assert_same_callers();
}

static int compare(const void *a, const void *b)
{
    (void) a, (void) b;
    return take_both(NULL) - 1;
}

static void test_a_callback_is_followed_through_libc(void **state)
{
    int numbers[2] = {2, 1};
    Dl_info info;

    (void) state;
    qsort(numbers, 2, sizeof *numbers, compare);
    assert_same_callers();
    assert_true(dladdr((void *) ours[1], &info) != 0 || dladdr((void *) ours[0], &info) != 0);
    assert_non_null(strstr(info.dli_fname, "libc.so.6"));
}

NOINLINE static int recurse(int depth)
{
    volatile int result = depth ? recurse(depth - 1) : take_both(NULL);

    return result + 1;
}

static void test_a_deep_stack_keeps_its_innermost_frames(void **state)
{
    (void) state;
    recurse(100);
    assert_int_equal(our_count, LIMIT_NATIVE_FRAMES);
    assert_same_callers();
}

static void test_no_more_frames_than_asked_for(void **state)
{
    uintptr_t pcs[4] = {0, 0, 0, 7};

    (void) state;
    native.self.end = native.self.start;
    assert_int_equal(native_stack_capture(&native, NULL, pcs, 3), 3);
    assert_int_equal(pcs[3], 7);
}

static void test_without_its_caller_a_stack_begins_behind_our_own_code(void **state)
{
    uintptr_t pcs[LIMIT_NATIVE_FRAMES];

    (void) state; /* all of this program is "the shim's" */
    assert_true(native_stack_capture(&native, NULL, pcs, LIMIT_NATIVE_FRAMES) > 0);
    assert_false(pcs[0] >= native.self.start && pcs[0] < native.self.end);
}

static void test_nothing_before_the_start(void **state)
{
    static struct native_stack idle;
    uintptr_t pcs[4];

    (void) state;
    assert_int_equal(native_stack_capture(&idle, NULL, pcs, 4), 0);
}

static ucontext_t here, fiber;
static volatile int fiber_result;

static void on_fiber(void)
{
    fiber_result = with_alloca(100);
}

static void run_fiber(void *stack, size_t size_bytes)
{
    assert_int_equal(getcontext(&fiber), 0);
    fiber.uc_stack = (stack_t){.ss_sp = stack, .ss_size = size_bytes};
    fiber.uc_link = &here;
    makecontext(&fiber, on_fiber, 0);
    assert_int_equal(swapcontext(&here, &fiber), 0);
}

static void test_on_a_fibers_stack_reads_are_guarded(void **state)
{
    enum { STACK_BYTES = 64 << 10 };
    char *stack = mmap(NULL, STACK_BYTES + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void) state;
    assert_true(stack != MAP_FAILED);
    assert_int_equal(mprotect(stack, STACK_BYTES, PROT_READ | PROT_WRITE), 0);
    run_fiber(stack, STACK_BYTES); /* what is above is not readable */
    assert_true(our_count >= 2);
    assert_in_range(ours[0], (uintptr_t) with_alloca, (uintptr_t) with_alloca + 512);
    assert_in_range(ours[1], (uintptr_t) on_fiber, (uintptr_t) on_fiber + 512);
    munmap(stack, STACK_BYTES + 4096);
}

/* A wrong table sends the walk beyond the stack's end, and to odd addresses. */
static void test_a_wrong_rule_ends_the_stack_and_reads_nothing_outside(void **state)
{
    static const int32_t wrong[] = {1 << 30, INT32_MAX, -(1 << 20), INT32_MIN, 3, 0};

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        take_both(NULL);
        for (size_t k = 0; k < NATIVE_STACK_RULES; k++)
            native.rules[k].row.cfa_offset_bytes = wrong[i];
        take_both(NULL);
        assert_true(our_count <= 1);
        native.generation--;
    }
    take_both(NULL);
    assert_same_callers();
}

static void test_a_library_that_comes_or_goes_makes_all_rules_new(void **state)
{
    void *library;

    (void) state;
    take_both(NULL);
    native.rules[0].pc = 1;
    library = dlopen("libBrokenLocale.so.1", RTLD_NOW);
    if (!library)
        skip();
    take_both(NULL);
    assert_int_not_equal(native.rules[0].pc, 1);
    native.rules[0].pc = 1;
    dlclose(library);
    take_both(NULL);
    assert_int_not_equal(native.rules[0].pc, 1);
    assert_same_callers();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_callers_are_those_that_the_c_library_finds, setup),
        cmocka_unit_test_setup(test_a_frame_of_variable_size_is_left_by_its_frame_pointer, setup),
        cmocka_unit_test_setup(test_a_frame_that_aligns_the_stack_is_left_by_what_it_stored, setup),
        cmocka_unit_test_setup(test_a_callback_is_followed_through_libc, setup),
        cmocka_unit_test_setup(test_a_deep_stack_keeps_its_innermost_frames, setup),
        cmocka_unit_test_setup(test_no_more_frames_than_asked_for, setup),
        cmocka_unit_test_setup(test_without_its_caller_a_stack_begins_behind_our_own_code, setup),
        cmocka_unit_test(test_nothing_before_the_start),
        cmocka_unit_test_setup(test_on_a_fibers_stack_reads_are_guarded, setup),
        cmocka_unit_test_setup(test_a_wrong_rule_ends_the_stack_and_reads_nothing_outside, setup),
        cmocka_unit_test_setup(test_a_library_that_comes_or_goes_makes_all_rules_new, setup),
    };

    (void) argc;
    stack_top = argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
