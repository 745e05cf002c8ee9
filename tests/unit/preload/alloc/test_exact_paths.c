/* The same way here as before: what makes a path another one, and what is never read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc/exact_paths.h"

enum { WORDS = 64, GROUP = 5 };

/* A piece of stack with three return addresses in it. */
static uintptr_t stack[WORDS];
static const uintptr_t pcs[] = {0x401000, 0x402000, 0x403000};
static struct exact_paths paths;

static struct exact_here here(void)
{
    return (struct exact_here){
        .seq = 9, .context = 77, .caller = (const void *) 0x401000, .frame = stack, .words = WORDS};
}

static int make(void **state)
{
    const struct exact_here at = here();

    (void) state;
    memset(&paths, 0, sizeof paths);
    memset(stack, 0, sizeof stack);
    stack[1] = pcs[0];
    stack[10] = pcs[1];
    stack[40] = pcs[2];
    exact_paths_keep(&paths, &at, pcs, 3, GROUP);
    return 0;
}

static uint32_t find(struct exact_here at)
{
    return exact_paths_find(&paths, &at);
}

static void test_who_comes_the_same_way_is_met_again(void **state)
{
    (void) state;
    assert_int_equal(find(here()), GROUP);
    stack[2] = stack[11] = 0xdead; /* what frames hold besides does not count */
    assert_int_equal(find(here()), GROUP);
}

static void test_another_return_address_anywhere_is_another_way(void **state)
{
    static const int words[] = {1, 10, 40};

    (void) state;
    for (int i = 0; i < 3; i++) {
        stack[words[i]] += 16;
        assert_int_equal(find(here()), 0);
        stack[words[i]] -= 16;
    }
    assert_int_equal(find(here()), GROUP);
}

static void test_other_php_frames_another_caller_depth_or_request_are_another_way(void **state)
{
    struct exact_here other;

    (void) state;
    other = here();
    other.context++;
    assert_int_equal(find(other), 0);
    other = here();
    other.caller = (const void *) 0x401008;
    assert_int_equal(find(other), 0);
    other = here();
    other.frame++;
    assert_int_equal(find(other), 0);
    other = here();
    other.seq++;
    assert_int_equal(find(other), 0);
}

static void test_two_ways_of_one_key_are_both_met(void **state)
{
    const struct exact_here at = here();
    const uintptr_t other[] = {0x401000, 0x402abc, 0x403000};

    (void) state;
    stack[10] = other[1];
    exact_paths_keep(&paths, &at, other, 3, GROUP + 1);
    assert_int_equal(find(here()), GROUP + 1);
    stack[10] = pcs[1];
    assert_int_equal(find(here()), GROUP);
}

static void test_more_ways_of_one_key_than_there_is_room_for_replace_the_last(void **state)
{
    const struct exact_here at = here();
    uintptr_t other[] = {0x401000, 0x402000, 0x403000};

    (void) state;
    for (uint32_t i = 0; i < 3 * EXACT_PATH_TRIES; i++) {
        stack[10] = other[1] = 0x500000 + i;
        exact_paths_keep(&paths, &at, other, 3, GROUP + 1 + i);
        assert_int_equal(find(here()), GROUP + 1 + i);
    }
    stack[10] = pcs[1];
    assert_int_equal(find(here()), GROUP);
}

static void test_nothing_beyond_the_readable_words_is_compared(void **state)
{
    struct exact_here at = here();

    (void) state;
    memset(&paths, 0, sizeof paths);
    at.words = 20; /* the third frame lies outwards of these */
    exact_paths_keep(&paths, &at, pcs, 3, GROUP);
    stack[40] = 0;
    assert_int_equal(find(at), GROUP);
    stack[10] = 0;
    assert_int_equal(find(at), 0);
}

static void test_a_way_of_which_no_frame_is_found_is_not_kept(void **state)
{
    struct exact_here at = here();

    (void) state;
    memset(&paths, 0, sizeof paths);
    at.words = 1;
    exact_paths_keep(&paths, &at, pcs, 3, GROUP);
    assert_int_equal(find(at), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, make)
    const struct CMUnitTest tests[] = {
        TEST(test_who_comes_the_same_way_is_met_again),
        TEST(test_another_return_address_anywhere_is_another_way),
        TEST(test_other_php_frames_another_caller_depth_or_request_are_another_way),
        TEST(test_two_ways_of_one_key_are_both_met),
        TEST(test_more_ways_of_one_key_than_there_is_room_for_replace_the_last),
        TEST(test_nothing_beyond_the_readable_words_is_compared),
        TEST(test_a_way_of_which_no_frame_is_found_is_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
