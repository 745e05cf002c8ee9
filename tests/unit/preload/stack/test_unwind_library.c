/*
 * test_unwind_library.c - stacks through hand-written frames: with libunwind they are what the C
 * library's own unwinder says, without it they end there.  A library of our own making shows the
 * limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <alloca.h>
#include <dlfcn.h>
#include <execinfo.h>

#include <cmocka.h>

#include "e2e/injected/odd_frames.h"
#include "fpmscope/limits.h"
#include "stack/native_stack.h"

#ifdef ODD_FRAMES
#define NOINLINE __attribute__((noinline, noclone))

static const struct unwind_loader real_loader = {.open = dlopen, .symbol = dlsym};
static const void *stack_top;
static struct native_stack native;
static uintptr_t ours[LIMIT_NATIVE_FRAMES];
static void *theirs[LIMIT_NATIVE_FRAMES + 1];
static size_t our_count, their_first, their_count; /* theirs: from the first of ours */

static void start(const struct unwind_loader *loader)
{
    memset(&native, 0, sizeof native);
    native_stack_init(&native, stack_top, loader);
    assert_true(native_stack_start(&native));
}

static int setup_with_library(void **state)
{
    (void) state;
    start(&real_loader);
    return 0;
}

static int setup_without_library(void **state)
{
    (void) state;
    start(NULL);
    return 0;
}

NOINLINE static int take_both(void *data)
{
    const void *caller = __builtin_return_address(0);

    (void) data;
    our_count = native_stack_capture(&native, caller, ours, LIMIT_NATIVE_FRAMES);
    their_count = (size_t) backtrace(theirs, LIMIT_NATIVE_FRAMES + 1);
    their_first = 0;
    while (their_first < their_count && theirs[their_first] != caller)
        their_first++;
    their_count -= their_first;
    return 1;
}

static void assert_same_callers(void)
{
    assert_true(our_count > 3);
    assert_int_equal(our_count, their_count);
    assert_memory_equal(ours, theirs + their_first, our_count * sizeof *ours);
}

static void need_library(void)
{
    if (!native.fallback.backtrace)
        skip();
}

/* Its frame is left by the frame pointer, which odd_hides_fp() keeps from us. */
NOINLINE static int with_alloca(odd_frame *frame, size_t size_bytes)
{
    volatile char *room = alloca(size_bytes);

    room[0] = 1;
    return frame(take_both, NULL) + room[0];
}

static const size_t room_bytes = 1000;

static void test_a_frame_counted_from_another_register_is_passed(void **state)
{
    (void) state;
    need_library();
    with_alloca(odd_by_rbx, room_bytes);
    assert_same_callers();
}

static void test_a_frame_that_is_an_expression_is_passed(void **state)
{
    (void) state;
    need_library();
    with_alloca(odd_by_expression, room_bytes);
    assert_same_callers();
}

static void test_a_frame_that_hides_the_frame_pointer_is_passed(void **state)
{
    (void) state;
    need_library();
    with_alloca(odd_hides_fp, room_bytes);
    assert_same_callers();
    assert_int_equal(native.fallback.asks, 1);
}

static void test_a_frame_without_a_row_is_passed_by_its_frame_pointer(void **state)
{
    (void) state;
    need_library();
    with_alloca(odd_without_row, room_bytes);
    assert_true(our_count > 3);
    assert_in_range(ours[1], (uintptr_t) with_alloca, (uintptr_t) with_alloca + 512);
}

static void test_a_frame_without_a_row_and_a_frame_pointer_is_no_question(void **state)
{
    (void) state;
    need_library();
    with_alloca(odd_without_fp, room_bytes);
    assert_int_equal(our_count, 1);
    assert_int_equal(native.fallback.asks, 0);
}

static void test_stacks_of_compilers_never_start_the_library(void **state)
{
    (void) state;
    take_both(NULL);
    assert_true(our_count > 1);
    assert_int_equal(native.fallback.asks, 0);
    assert_false(native.fallback.started);
}

static void test_without_the_library_a_stack_ends_at_such_a_frame(void **state)
{
    static const struct {
        odd_frame *frame;
        size_t count;
    } ends[] = {{odd_by_rbx, 1},      {odd_by_expression, 1}, {odd_hides_fp, 2},
                {odd_without_row, 1}, {odd_without_fp, 1},    {odd_with_wrong_fp, 1}};

    (void) state;
    take_both(NULL);
    assert_false(native.fallback.missed);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        with_alloca(ends[i].frame, room_bytes);
        assert_true(native.fallback.missed);
        assert_int_equal(our_count, ends[i].count);
        assert_in_range(ours[0], (uintptr_t) ends[i].frame, (uintptr_t) ends[i].frame + 64);
    }
}

static void test_a_place_where_it_knew_no_more_is_asked_about_once(void **state)
{
    (void) state;
    need_library();
    for (unsigned i = 0; i < 3; i++) {
        with_alloca(odd_with_wrong_fp, room_bytes);
        assert_int_equal(our_count, 1);
        assert_int_equal(native.fallback.asks, 1);
    }
    with_alloca(odd_by_rbx, room_bytes);
    assert_same_callers();
}

static void test_it_is_asked_so_often_in_a_request_and_again_in_the_next(void **state)
{
    (void) state;
    need_library();
    for (unsigned i = 0; i < UNWIND_LIBRARY_ASKS_MAX; i++) {
        with_alloca(odd_by_rbx, room_bytes);
        assert_same_callers();
    }
    with_alloca(odd_by_rbx, room_bytes);
    assert_int_equal(our_count, 1);
    unwind_library_renew(&native.fallback);
    with_alloca(odd_by_rbx, room_bytes);
    assert_same_callers();
}

/* A library of our own making: it says what `answer` says. */
static uintptr_t answer[LIMIT_NATIVE_FRAMES];
static size_t answer_count;
static unsigned flushes;
static const char *missing_symbol;

static int fake_backtrace(void **pcs, int max)
{
    assert_in_range(answer_count, 0, max);
    memcpy(pcs, answer, answer_count * sizeof *answer);
    return (int) answer_count;
}

static int fake_set_caching(void *space, int policy)
{
    (void) space, (void) policy;
    return 0;
}

static void fake_flush(void *space, uintptr_t lo, uintptr_t hi)
{
    (void) space, (void) lo, (void) hi;
    flushes++;
}

static void *fake_open(const char *file, int flags)
{
    (void) flags;
    return strcmp(file, "libunwind.so.8") == 0 ? &answer : NULL;
}

static void *fake_symbol(void *handle, const char *name)
{
    static void *space;

    (void) handle;
    if (missing_symbol && strstr(name, missing_symbol))
        return NULL;
    return strstr(name, "backtrace")     ? (void *) fake_backtrace
           : strstr(name, "set_caching") ? (void *) fake_set_caching
           : strstr(name, "flush")       ? (void *) fake_flush
                                         : (void *) &space;
}

static const struct unwind_loader fake_loader = {.open = fake_open, .symbol = fake_symbol};

static int setup_fake(void **state)
{
    (void) state;
    missing_symbol = NULL;
    flushes = 0;
    answer_count = 0;
    start(&fake_loader);
    return 0;
}

/* Ours is odd_by_rbx()'s own frame; the answer has it too, with other frames behind. */
static void answer_with(uintptr_t first, uintptr_t second)
{
    answer_count = 0;
    with_alloca(odd_by_rbx, room_bytes);
    native.fallback.vain_count = 0;
    native.fallback.asks = 0;
    answer[0] = first ? first : ours[0];
    answer[1] = second;
    answer_count = 2;
    with_alloca(odd_by_rbx, room_bytes);
}

static void test_an_answer_that_begins_like_ours_and_goes_on_is_taken(void **state)
{
    (void) state;
    answer_with(0, (uintptr_t) qsort);
    assert_int_equal(our_count, 2);
    assert_int_equal(ours[1], (uintptr_t) qsort);
    assert_int_equal(native.fallback.vain_count, 0);
}

static void test_an_answer_that_is_about_another_stack_is_not(void **state)
{
    (void) state;
    answer_with((uintptr_t) bsearch, (uintptr_t) qsort);
    assert_int_equal(our_count, 1);
    assert_int_equal(native.fallback.vain_count, 1);
}

static void test_what_is_guessed_outside_of_any_file_is_not_taken(void **state)
{
    (void) state;
    answer_with(0, (uintptr_t) stack_top);
    assert_int_equal(our_count, 1);
    answer_with(0, 4096);
    assert_int_equal(our_count, 1);
}

static void test_a_library_that_never_knows_is_left_alone(void **state)
{
    (void) state;
    for (uintptr_t pc = 1; pc <= UNWIND_LIBRARY_VAIN_MAX; pc++) {
        assert_true(unwind_library_may_help(&native.fallback, pc));
        unwind_library_asked_in_vain(&native.fallback, pc);
        assert_false(unwind_library_may_help(&native.fallback, pc));
    }
    assert_false(unwind_library_may_help(&native.fallback, 1 << 20));
    unwind_library_asked_in_vain(&native.fallback, 1 << 20);
    assert_int_equal(native.fallback.vain_count, UNWIND_LIBRARY_VAIN_MAX);
}

static void test_when_libraries_come_or_go_it_forgets(void **state)
{
    (void) state;
    with_alloca(odd_by_rbx, room_bytes);
    assert_int_equal(native.fallback.vain_count, 1);
    native.generation--;
    take_both(NULL);
    assert_int_equal(native.fallback.vain_count, 0);
    assert_int_equal(flushes, 1);
}

static void test_a_library_that_lacks_a_function_is_none(void **state)
{
    static const char *const names[] = {"backtrace", "set_caching", "flush", "space", "xyz"};

    for (size_t i = 0; i < 5; i++) {
        struct unwind_library library = {.started = false};

        (void) state;
        missing_symbol = names[i];
        assert_int_equal(unwind_library_load(&library, &fake_loader), i == 4);
        assert_int_equal(unwind_library_may_help(&library, 1), i == 4);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_frame_counted_from_another_register_is_passed,
                               setup_with_library),
        cmocka_unit_test_setup(test_a_frame_that_is_an_expression_is_passed, setup_with_library),
        cmocka_unit_test_setup(test_a_frame_that_hides_the_frame_pointer_is_passed,
                               setup_with_library),
        cmocka_unit_test_setup(test_a_frame_without_a_row_is_passed_by_its_frame_pointer,
                               setup_with_library),
        cmocka_unit_test_setup(test_a_frame_without_a_row_and_a_frame_pointer_is_no_question,
                               setup_with_library),
        cmocka_unit_test_setup(test_stacks_of_compilers_never_start_the_library,
                               setup_with_library),
        cmocka_unit_test_setup(test_without_the_library_a_stack_ends_at_such_a_frame,
                               setup_without_library),
        cmocka_unit_test_setup(test_a_place_where_it_knew_no_more_is_asked_about_once,
                               setup_with_library),
        cmocka_unit_test_setup(test_it_is_asked_so_often_in_a_request_and_again_in_the_next,
                               setup_with_library),
        cmocka_unit_test_setup(test_an_answer_that_begins_like_ours_and_goes_on_is_taken,
                               setup_fake),
        cmocka_unit_test_setup(test_an_answer_that_is_about_another_stack_is_not, setup_fake),
        cmocka_unit_test_setup(test_what_is_guessed_outside_of_any_file_is_not_taken, setup_fake),
        cmocka_unit_test_setup(test_a_library_that_never_knows_is_left_alone, setup_fake),
        cmocka_unit_test_setup(test_when_libraries_come_or_go_it_forgets, setup_fake),
        cmocka_unit_test_setup(test_a_library_that_lacks_a_function_is_none, setup_fake),
    };

    (void) argc;
    stack_top = argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
    return 0; /* the frames are x86-64's */
}
#endif
