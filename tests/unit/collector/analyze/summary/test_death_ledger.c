/* test_death_ledger.c - a death is one row, whoever tells of it, and quiet ends are none. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/summary/death_ledger.h"

#define HAS(key) (UINT64_C(1) << EVENT_HAS_##key)

struct books {
    struct intern texts;
    struct worker_ledger workers;
    struct death_ledger deaths;
};

static int setup(void **state)
{
    static struct books books;

    intern_init(&books.texts, 1 << 20);
    worker_ledger_init(&books.workers, &books.texts, 64);
    death_ledger_init(&books.deaths, &books.texts, 64);
    *state = &books;
    return 0;
}

static int teardown(void **state)
{
    struct books *books = *state;

    death_ledger_release(&books->deaths);
    worker_ledger_release(&books->workers);
    intern_release(&books->texts);
    return 0;
}

static void feed(struct books *books, struct event event)
{
    event.has |= HAS(ts_us);
    death_ledger_feed(&books->deaths, worker_ledger_find(&books->workers, event.pid), &event);
    worker_ledger_feed(&books->workers, &event);
}

static void begin(struct books *books, int64_t ts_us, int64_t pid)
{
    feed(books, (struct event){.kind = EVENT_beg,
                               .ts_us = ts_us,
                               .pid = pid,
                               .seq = 7,
                               .method = SLICE("GET"),
                               .uri = SLICE("/media/resize/"),
                               .rid = SLICE("abc")});
}

static struct event reaped(int64_t ts_us, int64_t pid, int sig)
{
    return (struct event){.kind = EVENT_exit, .ts_us = ts_us, .pid = pid, .sig = sig};
}

static const struct death *only_death(const struct books *books)
{
    assert_int_equal(books->deaths.deaths.count, 1);
    return array_at(&books->deaths.deaths, 0);
}

static void test_a_crash_and_its_reaping_are_one_death_with_its_request(void **state)
{
    struct books *books = *state;
    const struct death *death;

    begin(books, 1000, 41);
    feed(books, (struct event){.kind = EVENT_crash,
                               .ts_us = 2000,
                               .pid = 41,
                               .sig = SIGSEGV,
                               .has = HAS(inreq),
                               .inreq = true,
                               .stk = 9});
    feed(books, reaped(2500, 41, SIGSEGV));
    death = only_death(books);
    assert_int_equal(death->signo, SIGSEGV);
    assert_int_equal(death->killer, DEATH_SELF);
    assert_true(death->in_request && death->has_report && death->reaped);
    assert_int_equal(death->stack, 9);
    assert_true(
        slice_equal(intern_text(&books->texts, death->request.uri), SLICE("/media/resize/")));
    assert_true(slice_equal(intern_text(&books->texts, death->request.request_id), SLICE("abc")));
}

static void test_sigkill_without_a_word_comes_from_outside(void **state)
{
    struct books *books = *state;

    begin(books, 1000, 42);
    feed(books, reaped(5000, 42, SIGKILL));
    assert_int_equal(only_death(books)->killer, DEATH_OUTSIDE);
    assert_true(only_death(books)->in_request);
}

static void test_whose_a_fault_is_that_nobody_told_of_is_not_known(void **state)
{
    struct books *books = *state;

    begin(books, 1000, 42);
    feed(books, reaped(5000, 42, SIGSEGV));
    assert_int_equal(only_death(books)->killer, DEATH_UNKNOWN);
}

static void test_a_worker_that_its_master_killed_while_it_served_is_the_masters(void **state)
{
    struct books *books = *state;

    begin(books, 1000, 43);
    feed(books, (struct event){.kind = EVENT_kill,
                               .ts_us = 4000,
                               .pid = 1,
                               .target = 43,
                               .sig = SIGTERM,
                               .master = 1});
    feed(books, reaped(5000, 43, SIGTERM));
    assert_int_equal(only_death(books)->killer, DEATH_MASTER);
}

static void test_an_idle_worker_that_its_master_stopped_is_no_death(void **state)
{
    struct books *books = *state;

    feed(books, (struct event){.kind = EVENT_start, .ts_us = 1000, .pid = 44});
    feed(books, (struct event){.kind = EVENT_kill,
                               .ts_us = 4000,
                               .pid = 1,
                               .target = 44,
                               .sig = SIGTERM,
                               .master = 1});
    feed(books, reaped(5000, 44, SIGTERM));
    feed(books, reaped(6000, 45, 0));
    assert_int_equal(books->deaths.deaths.count, 0);
}

static void test_a_fault_beside_the_stack_pointer_is_a_stack_overflow(void **state)
{
    struct books *books = *state;

    begin(books, 1000, 46);
    feed(books, (struct event){.kind = EVENT_crash,
                               .ts_us = 2000,
                               .pid = 46,
                               .sig = SIGSEGV,
                               .addr = 0x7fff0f438fd8,
                               .sp = 0x7fff0f438fd0});
    assert_true(only_death(books)->stack_overflow);
}

static void test_the_same_pid_may_die_twice_in_two_lives_within_seconds(void **state)
{
    struct books *books = *state;
    struct event first = reaped(2000, 47, SIGKILL), second = reaped(4000, 47, SIGKILL);

    feed(books, (struct event){.kind = EVENT_start, .ts_us = 1000, .pid = 47, .start_ticks = 5});
    first.start_ticks = 5;
    feed(books, first);
    feed(books, (struct event){.kind = EVENT_start, .ts_us = 3000, .pid = 47, .start_ticks = 6});
    second.start_ticks = 6;
    feed(books, second);
    assert_int_equal(books->deaths.deaths.count, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_crash_and_its_reaping_are_one_death_with_its_request),
        TEST(test_sigkill_without_a_word_comes_from_outside),
        TEST(test_whose_a_fault_is_that_nobody_told_of_is_not_known),
        TEST(test_a_worker_that_its_master_killed_while_it_served_is_the_masters),
        TEST(test_an_idle_worker_that_its_master_stopped_is_no_death),
        TEST(test_a_fault_beside_the_stack_pointer_is_a_stack_overflow),
        TEST(test_the_same_pid_may_die_twice_in_two_lives_within_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
