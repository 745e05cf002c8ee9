/* test_ledger.c - the books of a whole process: threads come, go, and free for each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc/ledger.h"

enum { THREADS = 3 * LEDGER_SLOTS };

/* What wrap_malloc.c does for each block, without a block: sizes are what is counted. */
static void spend(size_t bytes)
{
    if (thread_self.slot || ledger_adopt())
        ledger_add(thread_self.slot, bytes);
    else
        ledger_add_shared(bytes);
}

static void give_back(size_t bytes)
{
    if (thread_self.slot || ledger_adopt())
        ledger_remove(thread_self.slot, bytes);
    else
        ledger_remove_shared(bytes);
}

static size_t usable(void *ptr)
{
    return malloc_usable_size(ptr);
}

static int setup(void **state)
{
    (void) state;
    thread_self.main = true;
    ledger_open(usable, true);
    return 0;
}

static void *spend_a_thousand(void *unused)
{
    for (int i = 0; i < 1000; i++)
        spend(10);
    return unused;
}

static void test_what_threads_spend_and_main_gives_back_is_nothing(void **state)
{
    pthread_t threads[8];
    int64_t before = ledger_live_bytes(ledger_sum());

    (void) state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, spend_a_thousand, NULL), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(ledger_live_bytes(ledger_sum()) - before, 80000);
    give_back(80000);
    assert_int_equal(ledger_live_bytes(ledger_sum()), before);
}

static void *keep_a_slot(void *barrier)
{
    spend(1);
    pthread_barrier_wait(barrier);
    return thread_self.slot;
}

static void test_more_threads_than_slots_share_the_overflow(void **state)
{
    static pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    int64_t before = ledger_live_bytes(ledger_sum());
    unsigned without_slot = 0;

    (void) state;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_a_slot, &barrier), 0);
    for (int i = 0; i < THREADS; i++) {
        void *slot;

        pthread_join(threads[i], &slot);
        without_slot += slot == NULL;
    }
    assert_int_equal(ledger_live_bytes(ledger_sum()) - before, THREADS);
    assert_true(without_slot >= THREADS - LEDGER_SLOTS);
}

static void test_a_thread_that_ends_gives_its_slot_to_the_next(void **state)
{
    int64_t before = ledger_live_bytes(ledger_sum());

    (void) state;
    for (int i = 0; i < THREADS; i++) {
        pthread_barrier_t alone;
        pthread_t thread;
        void *slot;

        pthread_barrier_init(&alone, NULL, 1);
        assert_int_equal(pthread_create(&thread, NULL, keep_a_slot, &alone), 0);
        pthread_join(thread, &slot);
        assert_non_null(slot);
    }
    assert_int_equal(ledger_live_bytes(ledger_sum()) - before, THREADS);
}

static void test_the_guard_keeps_our_own_allocations_out(void **state)
{
    void *ptr = malloc(100);

    (void) state;
    assert_true(guard_enter());
    assert_false(guard_enter());
    assert_null(thread_self.slot);
    assert_false(ledger_adopt());
    assert_int_equal(ledger_size(ptr), 0);
    guard_leave();
    assert_non_null(thread_self.slot);
    assert_true(ledger_size(ptr) >= 100);
    free(ptr);
}

/* What malloc() does on its straight way. */
static bool spend_from_room(int64_t bytes)
{
    if (thread_self.room_bytes < bytes)
        return false;
    thread_self.room_bytes -= bytes;
    return true;
}

static void test_what_is_spent_from_the_room_is_in_the_sum(void **state)
{
    struct ledger_sums before = ledger_sum(), after;

    (void) state;
    assert_true(spend_from_room(1000));
    thread_self.freed_bytes += 300;
    assert_true(guard_enter());
    after = ledger_sum(); /* also while the guard is up */
    guard_leave();
    assert_int_equal(after.allocated_bytes - before.allocated_bytes, 1000);
    assert_int_equal(after.freed_bytes - before.freed_bytes, 300);
    assert_true(spend_from_room(24));
    after = ledger_sum();
    assert_int_equal(after.allocated_bytes - before.allocated_bytes, 1024);
    assert_int_equal(after.freed_bytes - before.freed_bytes, 300);
}

static void test_the_room_ends_one_byte_before_the_sample(void **state)
{
    (void) state;
    ledger_sample_after(500);
    assert_true(spend_from_room(399));
    assert_false(spend_from_room(101));
    assert_true(spend_from_room(100));
    assert_false(spend_from_room(1));
    ledger_settle();
    assert_int_equal(thread_self.slot->sample_at_bytes - thread_self.slot->allocated_bytes, 1);
    ledger_sample_after(LEDGER_NEVER);
    assert_true(spend_from_room(INT64_C(1) << 40));
    ledger_settle();
    ledger_remove(thread_self.slot, 499 + (UINT64_C(1) << 40));
    ledger_grant();
}

static void *look_for_room(void *yes)
{
    ledger_adopt();
    ledger_grant();
    return thread_self.room_bytes == 0 && thread_self.free_filter == free_filter_closed ? yes
                                                                                        : NULL;
}

static void test_only_the_main_thread_has_room(void **state)
{
    pthread_t thread;
    void *closed;

    assert_true(thread_self.room_bytes > 0);
    assert_int_equal(pthread_create(&thread, NULL, look_for_room, state), 0);
    pthread_join(thread, &closed);
    assert_non_null(closed);
}

static void test_the_guard_takes_room_and_filter_away(void **state)
{
    static const uint8_t open_filter[FREE_FILTER_CLASSES];
    int64_t room = thread_self.room_bytes;

    (void) state;
    thread_self.free_filter = open_filter;
    assert_true(guard_enter());
    assert_int_equal(thread_self.room_bytes, 0);
    assert_ptr_equal(thread_self.free_filter, free_filter_closed);
    guard_leave();
    assert_int_equal(thread_self.room_bytes, room);
    assert_ptr_equal(thread_self.free_filter, open_filter);
    thread_self.free_filter = free_filter_closed;
}

static void test_a_guard_that_was_jumped_over_is_reset(void **state)
{
    (void) state;
    assert_true(guard_enter());
    guard_reset();
    assert_false(thread_self.busy);
    assert_non_null(thread_self.slot);
    guard_reset(); /* twice does no harm */
    assert_non_null(thread_self.slot);
}

static void test_a_fork_child_goes_on_counting_from_where_it_was(void **state)
{
    int64_t before = ledger_live_bytes(ledger_sum());
    pid_t child = fork();
    int status;

    (void) state;
    if (child == 0) {
        ledger_after_fork();
        spend(500);
        _exit(ledger_live_bytes(ledger_sum()) - before == 500 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(ledger_live_bytes(ledger_sum()), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_threads_spend_and_main_gives_back_is_nothing),
        cmocka_unit_test(test_a_thread_that_ends_gives_its_slot_to_the_next),
        cmocka_unit_test(test_more_threads_than_slots_share_the_overflow),
        cmocka_unit_test(test_the_guard_keeps_our_own_allocations_out),
        cmocka_unit_test(test_what_is_spent_from_the_room_is_in_the_sum),
        cmocka_unit_test(test_the_room_ends_one_byte_before_the_sample),
        cmocka_unit_test(test_only_the_main_thread_has_room),
        cmocka_unit_test(test_the_guard_takes_room_and_filter_away),
        cmocka_unit_test(test_a_guard_that_was_jumped_over_is_reset),
        cmocka_unit_test(test_a_fork_child_goes_on_counting_from_where_it_was),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
