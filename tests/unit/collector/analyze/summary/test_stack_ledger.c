/* test_stack_ledger.c - survivors count with their weight until they are freed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/summary/stack_ledger.h"

enum { ROUTE = 3, OTHER = 4 };

struct books {
    struct intern texts;
    struct stack_ledger stacks;
};

static int setup(void **state)
{
    static struct books books;

    intern_init(&books.texts, 1 << 20);
    stack_ledger_init(&books.stacks, &books.texts, 64);
    *state = &books;
    return 0;
}

static int teardown(void **state)
{
    struct books *books = *state;

    stack_ledger_release(&books->stacks);
    intern_release(&books->texts);
    return 0;
}

static struct event sample(int64_t id, int64_t size_bytes, int64_t stack)
{
    return (struct event){.kind = EVENT_smp,
                          .pid = 10,
                          .seq = 100,
                          .id = id,
                          .size_bytes = size_bytes,
                          .interval_bytes = 65536,
                          .stk = stack};
}

static void test_a_stack_is_kept_with_its_frames(void **state)
{
    struct books *books = *state;
    const struct event_list php = {.count = 2, .items = {SLICE("save"), SLICE("push")}};
    const struct event stack = {
        .kind = EVENT_stk, .id = 5, .mod = SLICE("libxml2.so.2"), .php = &php};

    stack_ledger_feed(&books->stacks, 0, &stack);
    const struct stack_row *row = stack_ledger_find(&books->stacks, 5);
    assert_non_null(row);
    assert_int_equal(row->php_count, 2);
    assert_true(slice_equal(intern_text(&books->texts, row->php[1]), SLICE("push")));
    assert_null(stack_ledger_find(&books->stacks, 6));
}

static void test_a_survivor_stands_for_size_over_p_bytes(void **state)
{
    struct books *books = *state;
    const struct event event = sample(1, 65536, 5);

    stack_ledger_feed(&books->stacks, ROUTE, &event);
    const struct stack_tally *tally = stack_ledger_top(&books->stacks, ROUTE, false);
    assert_non_null(tally);
    assert_true(fabs(tally->surviving_bytes - 65536 / (1 - exp(-1))) < 1);
}

static void test_a_freed_survivor_counts_no_more(void **state)
{
    struct books *books = *state;
    const struct event event = sample(1, 4096, 5);
    const struct event freed = {.kind = EVENT_fre, .pid = 10, .seq = 101, .id = 1};

    stack_ledger_feed(&books->stacks, ROUTE, &event);
    stack_ledger_feed(&books->stacks, ROUTE, &freed);
    stack_ledger_feed(&books->stacks, ROUTE, &freed);
    assert_null(stack_ledger_top(&books->stacks, ROUTE, false));
}

static void test_survivors_of_a_workers_first_requests_are_not_counted(void **state)
{
    struct books *books = *state;
    struct event event = sample(1, 4096, 5);

    event.seq = 3;
    stack_ledger_feed(&books->stacks, ROUTE, &event);
    assert_null(stack_ledger_top(&books->stacks, ROUTE, false));
}

static void test_the_top_stack_is_the_routes_own(void **state)
{
    struct books *books = *state;
    const struct event big = {.kind = EVENT_gro, .stk = 7, .size_bytes = 1 << 24};
    const struct event small = {.kind = EVENT_gro, .stk = 8, .size_bytes = 1 << 21};

    stack_ledger_feed(&books->stacks, OTHER, &big);
    stack_ledger_feed(&books->stacks, ROUTE, &small);
    assert_int_equal(stack_ledger_top(&books->stacks, ROUTE, true)->stack, 8);
    assert_null(stack_ledger_top(&books->stacks, ROUTE, false));
}

static void test_a_stack_of_larger_blocks_than_a_request_keeps_is_not_the_cause(void **state)
{
    struct books *books = *state;
    const struct event cache = sample(1, 240, 5), own = sample(2, 80, 6);

    stack_ledger_feed(&books->stacks, ROUTE, &cache);
    assert_int_equal(stack_ledger_top(&books->stacks, ROUTE, false)->stack, 5);
    assert_null(stack_ledger_cause(&books->stacks, ROUTE, 80));
    stack_ledger_feed(&books->stacks, ROUTE, &own);
    assert_int_equal(stack_ledger_cause(&books->stacks, ROUTE, 80)->stack, 6);
    assert_non_null(stack_ledger_cause(&books->stacks, ROUTE, 500));
}

static void test_a_group_that_shrinks_counts_for_what_is_left(void **state)
{
    struct books *books = *state;
    struct event group = sample(1, 5000, 5);
    struct event shrunk = {.kind = EVENT_fre, .pid = 10, .seq = 101, .id = 1, .size_bytes = 4000};

    group.interval_bytes = 1;
    stack_ledger_feed(&books->stacks, ROUTE, &group);
    stack_ledger_feed(&books->stacks, ROUTE, &shrunk);
    assert_true(fabs(stack_ledger_top(&books->stacks, ROUTE, false)->surviving_bytes - 1000) < 1);
    assert_non_null(stack_ledger_cause(&books->stacks, ROUTE, 1000));
    shrunk.size_bytes = 0; /* the rest */
    stack_ledger_feed(&books->stacks, ROUTE, &shrunk);
    assert_null(stack_ledger_top(&books->stacks, ROUTE, false));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_stack_is_kept_with_its_frames),
        TEST(test_a_survivor_stands_for_size_over_p_bytes),
        TEST(test_a_freed_survivor_counts_no_more),
        TEST(test_survivors_of_a_workers_first_requests_are_not_counted),
        TEST(test_the_top_stack_is_the_routes_own),
        cmocka_unit_test_setup_teardown(
            test_a_stack_of_larger_blocks_than_a_request_keeps_is_not_the_cause, setup, teardown),
        TEST(test_a_group_that_shrinks_counts_for_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
