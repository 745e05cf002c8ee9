/* The picture as messages: largest first, each text once and before its use, nothing lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fpmscope/wire_codec.h"
#include "zend/held_message.h"

struct told {
    size_t texts, rows;
    uint64_t bytes;
    struct wire_held first, last;
};

static struct worker_stacks stacks;
static struct link nobody = {.fd = 1 << 20}; /* never written to: all fits into one packet */
static struct batch batch;
static struct picture *picture;

static int make(void **state)
{
    (void) state;
    memset(&stacks.table, 0, sizeof stacks.table);
    picture = calloc(1, sizeof *picture);
    batch_init(&batch, &nobody);
    return picture ? 0 : -1;
}

static int drop(void **state)
{
    (void) state;
    free(picture);
    return 0;
}

static void hold(uint64_t hash, const char *text, uint64_t bytes)
{
    size_t room_bytes;
    bool is_new;
    const uint32_t stack = picture_stack_of(picture, hash, &is_new);
    char *room = picture_text_room(picture, &room_bytes);

    if (is_new) {
        memcpy(room, text, strlen(text));
        picture_text_written(picture, stack, strlen(text));
    }
    picture_grow(picture, stack, bytes);
}

static struct told tell(int most)
{
    struct held_request request = {
        .stacks = &stacks, .batch = &batch, .seq = 9, .interval_bytes = 1, .most = most};
    const struct wire_message *desc;
    const uint8_t *message;
    struct told told = {0};
    size_t pos = 0, length;
    union wire_any any;

    batch.len_bytes = 0;
    picture_finish(picture);
    held_message_tell(picture, &request);
    while (wire_next(batch.outbox->bytes, batch.len_bytes, &pos, &desc, &message, &length)) {
        assert_true(wire_decode(desc, message, length, &any));
        if (desc->id == WIRE_STACK) {
            told.texts++;
            continue;
        }
        assert_int_equal(desc->id, WIRE_HELD);
        if (told.rows++ == 0)
            told.first = any.held;
        told.last = any.held;
        told.bytes += any.held.bytes;
    }
    return told;
}

/* How many stacks SEEN names, with as many texts before it. */
static size_t see(void)
{
    const struct held_request request = {.stacks = &stacks, .batch = &batch, .seq = 9};
    const struct wire_message *desc;
    const uint8_t *message;
    size_t pos = 0, length, texts = 0, seen = 0;
    union wire_any any;

    batch.len_bytes = 0;
    held_message_seen(picture, &request);
    while (wire_next(batch.outbox->bytes, batch.len_bytes, &pos, &desc, &message, &length)) {
        assert_true(wire_decode(desc, message, length, &any));
        assert_int_equal(seen, 0);
        texts += desc->id == WIRE_STACK;
        if (desc->id == WIRE_SEEN) {
            assert_int_equal(any.seen.seq, 9);
            seen = any.seen.stacks.len_bytes / sizeof(uint32_t);
        }
    }
    assert_true(texts <= seen);
    return seen;
}

static void test_some_stacks_are_seen_before_the_request_is_told(void **state)
{
    (void) state;
    assert_int_equal(see(), 0);
    hold(0, "", 70); /* no PHP code */
    assert_int_equal(see(), 0);
    hold(1, "a\t\t\n", 1000);
    assert_int_equal(see(), 1);
    for (uint64_t hash = 2; hash <= 50; hash++)
        hold(hash, "f\t\t\n", 1);
    assert_int_equal(see(), HELD_SEEN_MAX);
}

static void test_rows_come_largest_first_and_add_up_to_the_peak(void **state)
{
    struct told told;

    (void) state;
    hold(1, "a\t\t\n", 1000);
    hold(2, "b\t\t\n", 5000);
    hold(0, "", 70); /* no PHP code */
    told = tell(10);
    assert_int_equal(told.rows, 3);
    assert_int_equal(told.texts, 2);
    assert_int_equal(told.first.bytes, 5000);
    assert_int_equal(told.last.stack, 0);
    assert_int_equal(told.last.bytes, 70);
    assert_int_equal(told.bytes, 6070);
    assert_int_equal(told.first.seq, 9);
}

static void test_what_is_beyond_the_number_or_too_small_is_one_row(void **state)
{
    struct told told;

    (void) state;
    for (uint64_t hash = 1; hash <= 50; hash++)
        hold(hash, "f\t\t\n", 10000 + hash);
    hold(99, "small\t\t\n", 3);
    told = tell(20);
    assert_int_equal(told.rows, 21);
    assert_int_equal(told.bytes, picture->peak_bytes);
    assert_int_equal(told.first.bytes, 10050);
}

static void test_a_text_crosses_once_per_worker(void **state)
{
    (void) state;
    hold(1, "a\t\t\n", 1000);
    assert_int_equal(tell(10).texts, 1);
    hold(1, "a\t\t\n", 2000);
    assert_int_equal(tell(10).texts, 0);
}

/* Its number must stay free: else a later stack with the same hash would never get its text. */
static void test_a_stack_without_text_is_among_the_others_and_may_be_told_later(void **state)
{
    struct told told;

    (void) state;
    hold(1, "", 1000);
    told = tell(10);
    assert_int_equal(told.rows, 1);
    assert_int_equal(told.last.stack, 0);
    assert_int_equal(told.bytes, 1000);
    memset(picture, 0, sizeof *picture);
    hold(1, "a\t\t\n", 1000);
    told = tell(10);
    assert_int_equal(told.texts, 1);
    assert_int_not_equal(told.first.stack, 0);
}

static void test_an_empty_picture_says_that_the_request_was_armed(void **state)
{
    struct told told;

    (void) state;
    told = tell(10);
    assert_int_equal(told.rows, 1);
    assert_int_equal(told.bytes, 0);
}

#define HELD_TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HELD_TEST(test_some_stacks_are_seen_before_the_request_is_told),
        HELD_TEST(test_rows_come_largest_first_and_add_up_to_the_peak),
        HELD_TEST(test_what_is_beyond_the_number_or_too_small_is_one_row),
        HELD_TEST(test_a_text_crosses_once_per_worker),
        HELD_TEST(test_a_stack_without_text_is_among_the_others_and_may_be_told_later),
        HELD_TEST(test_an_empty_picture_says_that_the_request_was_armed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
