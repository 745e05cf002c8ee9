/* Every block of a request belongs to a stack: what is told of blocks that stay, move and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc/exact_native.h"
#include "alloc/ledger.h"
#include "base/real.h"
#include "base/thread.h"
#include "fpmscope/wire_codec.h"

enum { BLOCK_BYTES = 40, BLOCKS = 40000 };

static struct worker_stacks stacks;          /* no PHP and no unwinder: all blocks are nowhere's */
static struct link nobody = {.fd = 1 << 20}; /* never written to: all fits into one packet */
static struct batch batch;
static char heap[BLOCKS][16] __attribute__((aligned(16))); /* only its addresses count */

/* What was told since the last time. */
struct told {
    unsigned samples, freed, shrunk;
    struct wire_sample sample;
    struct wire_shrunk last_shrunk;
    struct wire_freed last_freed;
};

static size_t size_of(void *ptr)
{
    (void) ptr;
    return BLOCK_BYTES;
}

static int start(void **state)
{
    const struct exact_native_setup setup = {.stacks = &stacks, .batch = &batch, .grain_bits = 4};

    (void) state;
    ledger_open(size_of, true);
    thread_self.main = true;
    batch_init(&batch, &nobody);
    return exact_native_start(&setup) ? 0 : -1;
}

static int stop(void **state)
{
    (void) state;
    exact_native_stop();
    return 0;
}

static struct told take_told(void)
{
    const struct wire_message *desc;
    const uint8_t *message;
    struct told told = {0};
    size_t pos = 0, length;
    union wire_any any;

    while (wire_next(batch.outbox->bytes, batch.len_bytes, &pos, &desc, &message, &length)) {
        assert_true(wire_decode(desc, message, length, &any));
        told.samples += desc->id == WIRE_SAMPLE;
        told.freed += desc->id == WIRE_FREED;
        told.shrunk += desc->id == WIRE_SHRUNK;
        if (desc->id == WIRE_SAMPLE)
            told.sample = any.sample;
        if (desc->id == WIRE_SHRUNK)
            told.last_shrunk = any.shrunk;
        if (desc->id == WIRE_FREED)
            told.last_freed = any.freed;
    }
    batch.len_bytes = 0;
    return told;
}

static struct told end_request(uint64_t seq)
{
    exact_native_tell_changes(seq);
    exact_native_tell_seen();
    exact_native_tell_survivors();
    return take_told();
}

static void bear(int from, int to)
{
    for (int i = from; i < to; i++)
        assert_true(exact_native_born(heap[i], BLOCK_BYTES, NULL));
}

static void kill(int from, int to)
{
    for (int i = from; i < to; i++)
        exact_native_died(heap[i]);
}

static void test_forty_thousand_survivors_are_one_message(void **state)
{
    struct told told;

    (void) state;
    exact_native_begin(5);
    bear(0, BLOCKS);
    kill(0, 10);
    told = end_request(5);
    assert_int_equal(told.samples, 1);
    assert_int_equal(told.sample.seq, 5);
    assert_int_equal(told.sample.size_bytes, (BLOCKS - 10) * BLOCK_BYTES);
    assert_int_equal(told.sample.interval_bytes, 1);
}

static void test_later_frees_are_told_together_and_the_last_one_ends_the_group(void **state)
{
    struct told told;
    uint64_t id;

    (void) state;
    exact_native_begin(1);
    bear(0, 100);
    id = end_request(1).sample.id;
    exact_native_begin(2);
    kill(0, 60);
    told = end_request(2);
    assert_int_equal(told.shrunk, 1);
    assert_int_equal(told.last_shrunk.id, id);
    assert_int_equal(told.last_shrunk.seq, 2);
    assert_int_equal(told.last_shrunk.size_bytes, 60 * BLOCK_BYTES);
    exact_native_begin(3);
    kill(60, 100);
    told = end_request(3);
    assert_int_equal(told.freed, 1);
    assert_int_equal(told.last_freed.id, id);
    assert_false(told.last_freed.realloced);
    assert_int_equal(told.shrunk, 0);
}

static void test_what_dies_in_its_own_request_is_never_told(void **state)
{
    struct told told;

    (void) state;
    exact_native_begin(1);
    bear(0, 50);
    kill(0, 50);
    kill(0, 50); /* and who is not known is nobody's */
    told = end_request(1);
    assert_int_equal(told.samples + told.freed + told.shrunk, 0);
}

static void test_a_block_that_realloc_moves_belongs_to_who_moved_it(void **state)
{
    struct exact_claim claim;
    struct told told;

    (void) state;
    exact_native_begin(1);
    bear(0, 1);
    end_request(1);
    exact_native_begin(2);
    claim = exact_native_claim(heap[0]);
    exact_native_release(claim, true);
    bear(1, 2);
    told = end_request(2);
    assert_int_equal(told.freed, 1);
    assert_true(told.last_freed.realloced);
    assert_int_equal(told.samples, 1);
    assert_int_equal(told.sample.seq, 2);
}

static void test_a_realloc_that_fails_changes_nothing(void **state)
{
    struct told told;

    (void) state;
    exact_native_begin(1);
    bear(0, 1);
    exact_native_restore(heap[0], exact_native_claim(heap[0]));
    exact_native_restore(heap[1], exact_native_claim(heap[1])); /* nobody's */
    told = end_request(1);
    assert_int_equal(told.sample.size_bytes, BLOCK_BYTES);
    exact_native_begin(2);
    kill(0, 2);
    assert_int_equal(end_request(2).freed, 1);
}

static void test_without_a_collector_nothing_is_told_then_nor_later(void **state)
{
    struct told told;

    (void) state;
    nobody.fd = -1;
    exact_native_begin(1);
    bear(0, 4);
    told = end_request(1);
    assert_int_equal(told.samples, 0);
    nobody.fd = 1 << 20;
    exact_native_begin(2);
    kill(0, 4);
    told = end_request(2);
    assert_int_equal(told.freed + told.shrunk, 0);
}

static void test_it_starts_anew_after_a_stop(void **state)
{
    (void) state;
    exact_native_begin(1);
    bear(0, 4);
    exact_native_stop();
    assert_int_equal(start(NULL), 0);
    exact_native_begin(1);
    bear(0, 2);
    assert_int_equal(end_request(1).sample.size_bytes, 2 * BLOCK_BYTES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(test_forty_thousand_survivors_are_one_message),
        TEST(test_later_frees_are_told_together_and_the_last_one_ends_the_group),
        TEST(test_what_dies_in_its_own_request_is_never_told),
        TEST(test_a_block_that_realloc_moves_belongs_to_who_moved_it),
        TEST(test_a_realloc_that_fails_changes_nothing),
        TEST(test_without_a_collector_nothing_is_told_then_nor_later),
        TEST(test_it_starts_anew_after_a_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
