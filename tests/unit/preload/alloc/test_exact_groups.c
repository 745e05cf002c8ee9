/* Blocks of one stack and request, counted together: what is told of them, and by whom they die. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc/exact_groups.h"

enum { STACK = 7, THREADS = 4, BLOCKS = 20000, BLOCK_BYTES = 24 };

/* What was told last. */
struct told {
    unsigned count;
    struct exact_live live;
    uint64_t seq;
    bool was_freed;
};

static struct exact_groups groups;

static int make(void **state)
{
    (void) state;
    groups = (struct exact_groups){.items = calloc(EXACT_GROUPS_MAX, sizeof *groups.items)};
    return groups.items ? 0 : -1;
}

static int drop(void **state)
{
    (void) state;
    free(groups.items);
    return 0;
}

static void tell(void *context, struct exact_group *group, struct exact_live live)
{
    struct told *told = context;

    told->count++;
    told->live = live;
    told->seq = group->seq;
    told->was_freed = exact_group_was_freed(group);
}

static struct told settle(void)
{
    struct told told = {0};

    exact_groups_settle(&groups, tell, &told);
    return told;
}

static struct told take_changed(void)
{
    struct told told = {0};

    exact_groups_take_changed(&groups, tell, &told);
    return told;
}

static void bear(uint32_t group, int blocks)
{
    for (int i = 0; i < blocks; i++)
        exact_group_born(&groups, group, BLOCK_BYTES);
}

static void test_what_is_left_of_a_request_is_told_once_for_each_group(void **state)
{
    const uint32_t group = exact_groups_add(&groups, 3, STACK);
    struct told told;

    (void) state;
    bear(group, 5);
    exact_group_died(&groups, group, BLOCK_BYTES, false);
    told = settle();
    assert_int_equal(told.count, 1);
    assert_int_equal(told.seq, 3);
    assert_int_equal(told.live.blocks, 4);
    assert_int_equal(told.live.bytes, 4 * BLOCK_BYTES);
    assert_int_equal(settle().count, 0);
}

static void test_a_group_that_is_empty_at_the_end_is_never_told_and_used_again(void **state)
{
    const uint32_t group = exact_groups_add(&groups, 3, STACK);

    (void) state;
    bear(group, 1);
    exact_group_died(&groups, group, BLOCK_BYTES, false);
    assert_int_equal(settle().count, 0);
    assert_int_equal(take_changed().count, 0);
    assert_int_equal(exact_groups_add(&groups, 4, STACK), group);
}

static void test_later_deaths_of_a_group_are_told_together(void **state)
{
    const uint32_t group = exact_groups_add(&groups, 3, STACK);
    struct told told;

    (void) state;
    bear(group, 5);
    settle();
    for (int i = 0; i < 3; i++)
        exact_group_died(&groups, group, BLOCK_BYTES, true);
    told = take_changed();
    assert_int_equal(told.count, 1);
    assert_int_equal(told.live.blocks, 2);
    assert_false(told.was_freed);
    assert_int_equal(take_changed().count, 0);
    exact_group_died(&groups, group, BLOCK_BYTES, false);
    exact_group_died_away(&groups, group, BLOCK_BYTES, true);
    told = take_changed();
    assert_int_equal(told.count, 1);
    assert_int_equal(told.live.bytes, 0);
    assert_true(told.was_freed);
    assert_int_equal(exact_groups_add(&groups, 9, STACK), group);
}

static void test_a_death_in_its_own_request_by_another_thread_is_no_change(void **state)
{
    const uint32_t group = exact_groups_add(&groups, 3, STACK);

    (void) state;
    bear(group, 2);
    exact_group_died_away(&groups, group, BLOCK_BYTES, false);
    assert_int_equal(take_changed().count, 0);
    assert_int_equal(settle().live.blocks, 1);
    exact_group_died_away(&groups, group, BLOCK_BYTES, false);
    assert_int_equal(take_changed().count, 1);
}

/* The thread has counted the last block, and not yet said so, when the number is given out anew. */
static void test_a_change_that_is_noted_too_late_does_no_harm(void **state)
{
    const uint32_t group = exact_groups_add(&groups, 3, STACK);

    (void) state;
    bear(group, 1);
    groups.items[group].away_bytes = BLOCK_BYTES;
    groups.items[group].away_blocks = 1;
    assert_int_equal(settle().count, 0);
    groups.items[group].is_changed = true;
    groups.changed = group;
    assert_int_equal(exact_groups_add(&groups, 4, STACK), group);
    assert_int_equal(take_changed().count, 0);
    bear(group, 2);
    assert_int_equal(settle().live.blocks, 2);
    exact_group_died(&groups, group, BLOCK_BYTES, false);
    assert_int_equal(take_changed().live.blocks, 1);
}

static void test_there_is_a_ceiling(void **state)
{
    (void) state;
    groups.used = EXACT_GROUPS_MAX - 2;
    assert_int_not_equal(exact_groups_add(&groups, 1, STACK), EXACT_GROUP_NONE);
    assert_int_equal(exact_groups_add(&groups, 1, STACK), EXACT_GROUP_NONE);
    settle();
    assert_int_not_equal(exact_groups_add(&groups, 2, STACK), EXACT_GROUP_NONE);
}

static void *kill_all(void *group)
{
    for (int i = 0; i < BLOCKS; i++)
        exact_group_died_away(&groups, *(uint32_t *) group, BLOCK_BYTES, false);
    return NULL;
}

static void test_threads_free_while_the_main_one_looks_and_nothing_is_lost(void **state)
{
    uint32_t numbers[THREADS];
    pthread_t threads[THREADS];
    unsigned gone = 0;

    (void) state;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = exact_groups_add(&groups, 1, STACK);
        bear(numbers[i], BLOCKS);
    }
    settle();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, kill_all, &numbers[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        take_changed();
        pthread_join(threads[i], NULL);
    }
    take_changed();
    for (int i = 0; i < THREADS; i++)
        gone += groups.items[numbers[i]].state == EXACT_GROUP_SPARE;
    assert_int_equal(gone, THREADS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_left_of_a_request_is_told_once_for_each_group),
        TEST(test_a_group_that_is_empty_at_the_end_is_never_told_and_used_again),
        TEST(test_later_deaths_of_a_group_are_told_together),
        TEST(test_a_death_in_its_own_request_by_another_thread_is_no_change),
        TEST(test_a_change_that_is_noted_too_late_does_no_harm),
        TEST(test_there_is_a_ceiling),
        TEST(test_threads_free_while_the_main_one_looks_and_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
