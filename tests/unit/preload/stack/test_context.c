/* The key of a stack made of pointers: what changes it, and what must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/context.h"

enum { FRAMES = 80, USER = 2, INTERNAL = 1, WORDS = 16 };

/* A call stack of PHP as 8.2 lays it out: opline at 0, func at 24, prev at 48. */
static struct {
    uintptr_t globals[WORDS];
    uintptr_t functions[FRAMES][WORDS];
    uintptr_t frames[FRAMES][WORDS];
} php;

static const struct php_layout layout = {
    .branch = "8.2", .current_execute_data = 8, .prev_execute_data = 48, .filename = 152};
static const struct php_engine engine = {.executor_globals = php.globals};

/* Frame 0 is the innermost. */
static int stack_of(int depth)
{
    memset(&php, 0, sizeof php);
    for (int i = 0; i < depth; i++) {
        php.functions[i][0] = USER;
        php.frames[i][0] = 0x1000 + 32 * (uintptr_t) i;
        php.frames[i][3] = (uintptr_t) php.functions[i];
        php.frames[i][6] = i + 1 < depth ? (uintptr_t) php.frames[i + 1] : 0;
    }
    php.globals[1] = depth > 0 ? (uintptr_t) php.frames[0] : 0;
    return 0;
}

static uint64_t key(void)
{
    return context_key(&engine, &layout);
}

static void test_another_line_anywhere_on_the_stack_is_another_key(void **state)
{
    uint64_t first;

    (void) state;
    stack_of(10);
    first = key();
    assert_int_equal(key(), first);
    for (int i = 0; i < 10; i++) {
        php.frames[i][0] += 32;
        assert_int_not_equal(key(), first);
        php.frames[i][0] -= 32;
    }
    assert_int_equal(key(), first);
}

static void test_what_stands_in_an_internal_frame_s_opcode_does_not_count(void **state)
{
    uint64_t first;

    (void) state;
    stack_of(3);
    php.functions[0][0] = INTERNAL;
    first = key();
    php.frames[0][0] = 0xdeadbeef;
    assert_int_equal(key(), first);
}

static void test_another_function_on_the_same_place_is_another_key(void **state)
{
    uint64_t first;

    (void) state;
    stack_of(3);
    first = key();
    php.frames[1][3] = (uintptr_t) php.functions[7];
    php.functions[7][0] = USER;
    assert_int_not_equal(key(), first);
}

static void test_no_frames_and_endless_ones_have_keys_too(void **state)
{
    (void) state;
    stack_of(0);
    assert_int_not_equal(key(), 0);
    stack_of(2);
    php.frames[1][6] = (uintptr_t) php.frames[0]; /* a circle */
    assert_int_not_equal(key(), 0);
}

static void test_frames_without_a_function_are_passed_over(void **state)
{
    uint64_t first;

    (void) state;
    stack_of(4);
    php.frames[2][3] = 0;
    first = key();
    php.frames[2][0] += 32;
    assert_int_equal(key(), first);
}

static void test_the_cache_answers_only_for_the_whole_key(void **state)
{
    static struct context_cache cache;
    const uint64_t one = UINT64_C(0xabc0000000000001), two = UINT64_C(0xabc0000000000002);
    uint32_t stack;

    (void) state;
    assert_false(context_find(&cache, one, &stack));
    context_keep(&cache, one, 5);
    assert_true(context_find(&cache, one, &stack));
    assert_int_equal(stack, 5);
    assert_false(context_find(&cache, two, &stack)); /* the same place */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_line_anywhere_on_the_stack_is_another_key),
        cmocka_unit_test(test_what_stands_in_an_internal_frame_s_opcode_does_not_count),
        cmocka_unit_test(test_another_function_on_the_same_place_is_another_key),
        cmocka_unit_test(test_no_frames_and_endless_ones_have_keys_too),
        cmocka_unit_test(test_frames_without_a_function_are_passed_over),
        cmocka_unit_test(test_the_cache_answers_only_for_the_whole_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
