/* test_stack_table.c - one id per distinct stack, and never two meanings for one id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_php.h"
#include "stack/stack_table.h"

static struct fake_php php;
static struct stack_table table;

static uint64_t hash_of(const char *function, const char *file, uint32_t line)
{
    struct php_stack stack;

    fake_php_init(&php, "8.2");
    fake_call(&php, fake_function(&php, 2, function, "C", file), line);
    php_stack_walk(&php.engine, php.layout, NULL, &stack);
    return stack_hash(&stack, NULL, 0);
}

static void test_equal_contents_hash_alike_wherever_they_lie(void **state)
{
    (void) state;
    assert_int_equal(hash_of("f", "/a.php", 1), hash_of("f", "/a.php", 1));
}

static void test_the_same_addresses_with_other_contents_are_another_stack(void **state)
{
    const uint64_t hash = hash_of("DataEz", "/a.php", 1);

    (void) state;
    assert_int_not_equal(hash, hash_of("DataFY", "/a.php", 1)); /* alike for PHP's own hash */
    assert_int_not_equal(hash, hash_of("DataEz", "/b.php", 1));
    assert_int_not_equal(hash, hash_of("DataEz", "/a.php", 2));
}

static void test_program_counters_are_part_of_a_stack(void **state)
{
    const struct php_stack none = {.count = 0};
    const uintptr_t a[] = {0x1000, 0x2000}, b[] = {0x2000, 0x1000};

    (void) state;
    assert_int_not_equal(stack_hash(&none, a, 2), stack_hash(&none, b, 2));
    assert_int_not_equal(stack_hash(&none, a, 2), stack_hash(&none, a, 1));
}

static void test_a_stack_is_new_once(void **state)
{
    bool is_new;
    uint32_t id;

    (void) state;
    memset(&table, 0, sizeof table);
    id = stack_table_intern(&table, 77, &is_new);
    assert_true(id != 0 && is_new);
    assert_int_equal(stack_table_intern(&table, 77, &is_new), id);
    assert_false(is_new);
    assert_int_not_equal(stack_table_intern(&table, 77 + STACK_TABLE_SLOTS, &is_new), id);
    assert_true(is_new);
}

static void test_a_stack_whose_text_was_not_sent_is_new_again_under_another_id(void **state)
{
    bool is_new;
    uint32_t id, neighbour;

    (void) state;
    memset(&table, 0, sizeof table);
    id = stack_table_intern(&table, 5, &is_new);
    neighbour = stack_table_intern(&table, 5 + STACK_TABLE_SLOTS, &is_new);
    stack_table_forget(&table, 5);
    assert_int_equal(stack_table_intern(&table, 5 + STACK_TABLE_SLOTS, &is_new), neighbour);
    assert_false(is_new);
    assert_int_not_equal(stack_table_intern(&table, 5, &is_new), id);
    assert_true(is_new);
}

static void test_a_full_table_forgets_but_never_reuses_an_id(void **state)
{
    uint32_t last = 0;
    bool is_new;

    (void) state;
    memset(&table, 0, sizeof table);
    for (uint64_t i = 1; i <= 3 * STACK_TABLE_MAX; i++) {
        const uint32_t id = stack_table_intern(&table, i * 0x9e3779b97f4a7c15u, &is_new);

        assert_true(is_new);
        assert_int_equal(id, last + 1);
        last = id;
        assert_true(table.count <= STACK_TABLE_MAX);
    }
}

static void test_a_reset_announces_everything_again(void **state)
{
    bool is_new;
    uint32_t id;

    (void) state;
    memset(&table, 0, sizeof table);
    id = stack_table_intern(&table, 9, &is_new);
    stack_table_reset(&table);
    assert_int_not_equal(stack_table_intern(&table, 9, &is_new), id);
    assert_true(is_new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_contents_hash_alike_wherever_they_lie),
        cmocka_unit_test(test_the_same_addresses_with_other_contents_are_another_stack),
        cmocka_unit_test(test_program_counters_are_part_of_a_stack),
        cmocka_unit_test(test_a_stack_is_new_once),
        cmocka_unit_test(test_a_stack_whose_text_was_not_sent_is_new_again_under_another_id),
        cmocka_unit_test(test_a_full_table_forgets_but_never_reuses_an_id),
        cmocka_unit_test(test_a_reset_announces_everything_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
