/* test_growth_book.c - growths of a request in flight: settled, or left by a death. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/summary/growth_book.h"
#include "model/event_set.h"

enum { MIB = 1 << 20 };

static void grow(struct growth_book *book, int64_t pid, int64_t seq, int64_t stack, int64_t bytes)
{
    struct event event = {.kind = EVENT_gro};

    event_set_pid(&event, pid);
    event_set_start_ticks(&event, 100 + pid);
    event_set_seq(&event, seq);
    event_set_stk(&event, stack);
    event_set_size_bytes(&event, bytes);
    growth_book_feed(book, &event);
}

static void end(struct growth_book *book, int64_t pid, int64_t seq)
{
    struct event event = {.kind = EVENT_end};

    event_set_pid(&event, pid);
    event_set_start_ticks(&event, 100 + pid);
    if (seq > 0)
        event_set_seq(&event, seq);
    growth_book_feed(book, &event);
}

static struct growth_page *page_of(const struct growth_book *book, int64_t pid)
{
    return growth_book_find(book, pid, 100 + pid);
}

static void test_growths_are_summed_by_stack_and_a_new_request_starts_a_new_page(void **state)
{
    struct growth_book book;

    (void) state;
    growth_book_init(&book);
    grow(&book, 7, 1, 11, 2 * MIB);
    grow(&book, 7, 1, 12, 4 * MIB);
    grow(&book, 7, 1, 11, 2 * MIB);
    assert_int_equal(page_of(&book, 7)->count, 2);
    assert_int_equal(page_of(&book, 7)->sums[0].bytes, 4 * MIB);
    assert_int_equal(growth_page_bytes(page_of(&book, 7)), 8 * MIB);
    grow(&book, 7, 2, 11, 2 * MIB);
    assert_int_equal(growth_page_bytes(page_of(&book, 7)), 2 * MIB);
    assert_null(page_of(&book, 8));
    growth_book_release(&book);
}

static void test_who_gets_the_number_of_a_dead_worker_is_alive(void **state)
{
    struct growth_book book;

    (void) state;
    growth_book_init(&book);
    grow(&book, 7, 1, 11, 2 * MIB);
    end(&book, 7, 1);
    assert_true(page_of(&book, 7)->died);
    grow(&book, 7, 1, 12, 4 * MIB); /* a stream without start times */
    assert_false(page_of(&book, 7)->died);
    assert_int_equal(growth_page_bytes(page_of(&book, 7)), 4 * MIB);
    growth_book_release(&book);
}

static void test_what_a_worker_died_with_stays_what_it_had_settled_does_not(void **state)
{
    struct growth_book book;

    (void) state;
    growth_book_init(&book);
    grow(&book, 7, 5, 11, 2 * MIB);
    end(&book, 7, 5);
    assert_true(page_of(&book, 7)->died);
    grow(&book, 8, 5, 11, 2 * MIB);
    end(&book, 8, 6); /* it died in a later request, which did not grow */
    assert_null(page_of(&book, 8));
    grow(&book, 9, 5, 11, 2 * MIB);
    end(&book, 9, 0); /* idle */
    assert_null(page_of(&book, 9));
    growth_book_release(&book);
}

static void test_pages_of_ended_workers_are_used_again(void **state)
{
    struct growth_book book;

    (void) state;
    growth_book_init(&book);
    for (int64_t pid = 1; pid <= 3 * GROWTH_BOOK_PAGES_MAX; pid++) {
        grow(&book, pid, 1, 11, MIB);
        growth_page_clear(page_of(&book, pid));
        end(&book, pid, 0);
    }
    assert_int_equal(book.refused, 0);
    assert_true(book.pages.count <= 2);
    growth_book_release(&book);
}

static void test_more_workers_and_stacks_than_fit_are_counted_not_lost_in_silence(void **state)
{
    struct growth_book book;

    (void) state;
    growth_book_init(&book);
    for (int64_t stack = 1; stack <= 4 * GROWTH_BOOK_STACKS; stack++)
        grow(&book, 1, 1, stack, MIB);
    assert_int_equal(growth_page_bytes(page_of(&book, 1)), 4 * GROWTH_BOOK_STACKS * (int64_t) MIB);
    for (int64_t pid = 2; pid <= GROWTH_BOOK_PAGES_MAX + 5; pid++)
        grow(&book, pid, 1, 1, MIB);
    assert_int_equal(book.refused, 5);
    growth_book_release(&book);
}

static void test_a_death_without_a_start_time_finds_the_newest_of_its_pid(void **state)
{
    struct growth_book book;

    (void) state;
    growth_book_init(&book);
    grow(&book, 7, 1, 11, MIB);
    assert_ptr_equal(growth_book_find(&book, 7, 0), page_of(&book, 7));
    assert_null(growth_book_find(&book, 6, 0));
    growth_book_release(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growths_are_summed_by_stack_and_a_new_request_starts_a_new_page),
        cmocka_unit_test(test_what_a_worker_died_with_stays_what_it_had_settled_does_not),
        cmocka_unit_test(test_who_gets_the_number_of_a_dead_worker_is_alive),
        cmocka_unit_test(test_pages_of_ended_workers_are_used_again),
        cmocka_unit_test(test_more_workers_and_stacks_than_fit_are_counted_not_lost_in_silence),
        cmocka_unit_test(test_a_death_without_a_start_time_finds_the_newest_of_its_pid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
