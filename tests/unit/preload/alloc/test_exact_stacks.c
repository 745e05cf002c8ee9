/* Texts of stacks, kept until somebody wants them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc/exact_stacks.h"

static const uintptr_t pcs[] = {0x1111, 0x2222};

static int make(void **state)
{
    *state = calloc(1, sizeof(struct exact_stacks));
    return *state ? 0 : -1;
}

static int drop(void **state)
{
    free(*state);
    return 0;
}

static uint32_t put(struct exact_stacks *stacks, uint64_t hash, const char *php)
{
    size_t room_bytes;
    bool is_new;
    const uint32_t number = exact_stacks_put(stacks, hash, &is_new);

    if (is_new) {
        char *room = exact_stacks_write(stacks, pcs, 2, &room_bytes);
        const size_t len_bytes = strlen(php) < room_bytes ? strlen(php) : room_bytes;

        memcpy(room, php, len_bytes);
        exact_stacks_php_written(stacks, len_bytes);
    }
    return number;
}

static void test_a_stack_has_one_number_and_keeps_its_text(void **state)
{
    struct exact_stacks *stacks = *state;
    const uint32_t one = put(stacks, 0xabc, "save\tDOMDocument\t\n"),
                   two = put(stacks, 0xabd, "push\tRedis\t\n");
    const struct exact_stack *stack = &stacks->items[one];

    assert_int_not_equal(one, two);
    assert_int_equal(put(stacks, 0xabc, "another text"), one);
    assert_int_equal(stack->pc_count, 2);
    assert_memory_equal(exact_stacks_pcs(stacks, stack), pcs, sizeof pcs);
    assert_int_equal(stack->php_len_bytes, strlen("save\tDOMDocument\t\n"));
    assert_memory_equal(exact_stacks_php(stacks, stack), "save\tDOMDocument\t\n",
                        stack->php_len_bytes);
}

static void test_hashes_that_want_the_same_place_do_not_disturb_each_other(void **state)
{
    struct exact_stacks *stacks = *state;
    const uint32_t one = put(stacks, 5, "one"), two = put(stacks, 5 + EXACT_STACK_PLACES, "two");

    assert_int_not_equal(one, two);
    assert_int_equal(put(stacks, 5, ""), one);
    assert_int_equal(put(stacks, 5 + EXACT_STACK_PLACES, ""), two);
}

static void test_there_is_a_ceiling_for_stacks(void **state)
{
    struct exact_stacks *stacks = *state;
    uint32_t count = 0;
    bool is_new;

    assert_false(exact_stacks_are_full(stacks));
    while (exact_stacks_put(stacks, 1000 + count, &is_new) != EXACT_STACK_NONE)
        count++;
    assert_int_equal(count, EXACT_STACKS_MAX - 1);
    assert_true(exact_stacks_are_full(stacks));
    assert_int_equal(exact_stacks_put(stacks, 1000, &is_new), 1);
}

static void test_a_text_without_room_is_empty(void **state)
{
    struct exact_stacks *stacks = *state;
    uint32_t number;

    stacks->text_len_bytes = EXACT_STACK_TEXTS_BYTES - sizeof pcs - 4;
    number = put(stacks, 1, "longer than that");
    assert_int_equal(stacks->items[number].php_len_bytes, 4);
    number = put(stacks, 2, "no room at all");
    assert_int_equal(stacks->items[number].php_len_bytes, 0);
    assert_int_equal(stacks->items[number].pc_count, 0);
    assert_true(exact_stacks_are_full(stacks));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(test_a_stack_has_one_number_and_keeps_its_text),
        TEST(test_hashes_that_want_the_same_place_do_not_disturb_each_other),
        TEST(test_there_is_a_ceiling_for_stacks),
        TEST(test_a_text_without_room_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
