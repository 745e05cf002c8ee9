/* test_live_table.c - every sampled block is found once, by whichever thread frees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "alloc/live_table.h"

static struct live_table table;
static uint64_t drained[LIVE_PLACES];
static size_t drained_count;
static struct live_sample last;

static void note_drained(void *context, const struct live_sample *sample)
{
    (void) context;
    drained[drained_count++ % LIVE_PLACES] = sample->id;
    last = *sample;
}

static int setup(void **state)
{
    (void) state;
    memset(&table, 0, sizeof table);
    drained_count = 0;
    return 0;
}

static void drain(void)
{
    live_drain(&table, note_drained, NULL);
}

static void *block(uintptr_t n)
{
    return (void *) (0x7f0000000000 + n * 48); /* NOLINT: as malloc lays small blocks out */
}

static uint16_t insert(uintptr_t n)
{
    const struct live_sample sample = {.id = n + 1, .size_bytes = n};

    return live_insert(&table, block(n), &sample);
}

static void test_a_sample_is_found_once(void **state)
{
    uint16_t place = insert(5);

    (void) state;
    assert_int_not_equal(place, LIVE_NONE);
    assert_true(live_may_hold(&table, block(5)));
    assert_true(live_is_live(&table, place, 6));
    assert_int_equal(live_take(&table, block(5)), place);
    assert_int_equal(live_take(&table, block(5)), LIVE_NONE);
    assert_false(live_is_live(&table, place, 6));
}

static void test_other_blocks_are_not_found(void **state)
{
    unsigned suspects = 0;

    (void) state;
    insert(5);
    for (uintptr_t n = 100; n < 10100; n++) {
        suspects += live_may_hold(&table, block(n));
        assert_int_equal(live_take(&table, block(n)), LIVE_NONE);
    }
    assert_true(suspects < 10); /* the doorman knows nearly all of them */
}

static void test_null_is_stopped_by_the_filter_for_ever(void **state)
{
    const uint8_t *filter = live_filter(&table);

    (void) state;
    assert_int_not_equal(filter[free_filter_class(NULL)], 0);
    insert(5);
    live_release(&table, live_take(&table, block(5)), 1, false);
    drain();
    assert_int_not_equal(filter[free_filter_class(NULL)], 0);
    assert_true(live_may_hold(&table, NULL));
}

/* Large blocks lie at the same place of a page, arenas at multiples of 64 MiB. */
static void test_strides_of_any_size_spread_over_the_filter(void **state)
{
    (void) state;
    for (uintptr_t stride = 16; stride <= 1 << 20; stride *= 2) {
        unsigned suspects = 0;

        memset(&table, 0, sizeof table);
        for (uintptr_t n = 0; n < 64; n++)
            table.filter[free_filter_class((void *) (0x7f0000000010 + n * stride))] =
                1; /* NOLINT */
        for (size_t i = 0; i < FREE_FILTER_CLASSES; i++)
            suspects += table.filter[i];
        assert_true(suspects > 48);
    }
}

static void test_a_failed_realloc_leaves_the_sample_alone(void **state)
{
    uint16_t place = insert(5);

    (void) state;
    assert_int_equal(live_take(&table, block(5)), place);
    live_put_back(&table, place, block(5));
    assert_true(live_is_live(&table, place, 6));
    assert_int_equal(live_take(&table, block(5)), place);
}

static void test_a_released_sample_says_when_and_how(void **state)
{
    uint16_t place = insert(5);

    (void) state;
    live_release(&table, live_take(&table, block(5)), 77, true);
    drain();
    assert_int_equal(drained_count, 1);
    assert_int_equal(last.id, 6);
    assert_int_equal(last.freed_seq, 77);
    assert_true(last.realloced);
    assert_false(live_may_hold(&table, block(5)));
    assert_false(live_is_live(&table, place, 6));
    drain();
    assert_int_equal(drained_count, 1);
}

static void test_the_same_address_may_be_sampled_again_before_the_drain(void **state)
{
    uint16_t first = insert(5), second;
    const struct live_sample again = {.id = 1000};

    (void) state;
    live_release(&table, live_take(&table, block(5)), 1, false);
    second = live_insert(&table, block(5), &again);
    assert_int_not_equal(second, first);
    drain();
    assert_int_equal(drained[0], 6);
    assert_true(live_is_live(&table, second, 1000));
    assert_true(live_may_hold(&table, block(5)));
}

static void test_a_full_table_refuses_and_recovers(void **state)
{
    unsigned kept = 0;

    (void) state;
    for (uintptr_t n = 0; n < 4 * LIVE_MAX; n++)
        kept += insert(n) != LIVE_NONE;
    assert_int_equal(kept, LIVE_MAX);
    for (uintptr_t n = 0; n < 4 * LIVE_MAX; n++) {
        uint16_t place = live_take(&table, block(n));

        if (place != LIVE_NONE)
            live_release(&table, place, 1, false);
    }
    drain();
    assert_int_equal(drained_count, LIVE_MAX);
    assert_int_equal(table.count, 0);
    for (size_t i = 0; i < sizeof table.filter; i++)
        assert_int_equal(table.filter[i], 0);
}

static void test_samples_that_were_given_back_are_used_again(void **state)
{
    (void) state;
    for (uintptr_t n = 0; n < 20 * LIVE_MAX; n++) {
        uint16_t place = insert(n);

        assert_int_not_equal(place, LIVE_NONE);
        assert_int_equal(live_at(&table, place)->size_bytes, n);
        live_release(&table, live_take(&table, block(n)), 1, false);
        drain();
    }
    assert_int_equal(table.used, 1);
}

static void test_few_are_refused_before_the_table_is_full(void **state)
{
    unsigned refused = 0;

    (void) state;
    for (uintptr_t n = 0; n < LIVE_MAX; n++)
        refused += insert(n * 37) == LIVE_NONE;
    assert_true(refused < LIVE_MAX / 50);
}

enum { THREADS = 4, PER_THREAD = 200 };

static void *free_some(void *first)
{
    uintptr_t from = (uintptr_t) first;

    for (uintptr_t n = from; n < from + PER_THREAD; n++) {
        uint16_t place = live_take(&table, block(n));

        if (place != LIVE_NONE)
            live_release(&table, place, n, false);
    }
    return NULL;
}

/* Each block is freed by two threads at once; one of them wins. */
static void test_threads_free_each_sample_exactly_once(void **state)
{
    pthread_t threads[THREADS];
    unsigned char seen[THREADS * PER_THREAD + 1] = {0};
    size_t kept = 0;

    (void) state;
    for (uintptr_t n = 0; n < THREADS / 2 * PER_THREAD; n++)
        kept += insert(n) != LIVE_NONE;
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, free_some, (void *) (i / 2 * PER_THREAD)),
            0); /* NOLINT */
    while (drained_count < kept / 2)
        drain();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    drain();
    assert_int_equal(drained_count, kept);
    for (size_t i = 0; i < kept; i++)
        assert_int_equal(seen[drained[i]]++, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_sample_is_found_once, setup),
        cmocka_unit_test_setup(test_other_blocks_are_not_found, setup),
        cmocka_unit_test_setup(test_null_is_stopped_by_the_filter_for_ever, setup),
        cmocka_unit_test_setup(test_strides_of_any_size_spread_over_the_filter, setup),
        cmocka_unit_test_setup(test_a_failed_realloc_leaves_the_sample_alone, setup),
        cmocka_unit_test_setup(test_a_released_sample_says_when_and_how, setup),
        cmocka_unit_test_setup(test_the_same_address_may_be_sampled_again_before_the_drain, setup),
        cmocka_unit_test_setup(test_a_full_table_refuses_and_recovers, setup),
        cmocka_unit_test_setup(test_samples_that_were_given_back_are_used_again, setup),
        cmocka_unit_test_setup(test_few_are_refused_before_the_table_is_full, setup),
        cmocka_unit_test_setup(test_threads_free_each_sample_exactly_once, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
