/* The owners of blocks, written beside the heap: every address has its own mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "zend/shadow.h"

#define CHUNK(n) (UINT64_C(0x7f0000000000) + (uint64_t) (n) *SHADOW_CHUNK_BYTES)

enum { SHEETS = 8 };

/* With room for a few sheets; the tests below never use more. */
static struct shadow *make(void)
{
    struct shadow *shadow = calloc(1, sizeof *shadow);

    assert_non_null(shadow);
    shadow->sheets = calloc(SHEETS, SHADOW_MARKS * sizeof *shadow->sheets);
    assert_non_null(shadow->sheets);
    return shadow;
}

static void drop(struct shadow *shadow)
{
    free(shadow->sheets);
    free(shadow);
}

static void test_neighbouring_blocks_and_chunks_have_marks_of_their_own(void **state)
{
    static const uintptr_t addresses[] = {CHUNK(0),     CHUNK(0) + 8, CHUNK(1) - 8,
                                          CHUNK(1) + 0, CHUNK(5),     CHUNK(5) + 4096};
    struct shadow *shadow = make();

    (void) state;
    for (uint16_t i = 0; i < 6; i++)
        *shadow_mark(shadow, addresses[i]) = (uint16_t) (i + 1);
    for (uint16_t i = 0; i < 6; i++)
        assert_int_equal(*shadow_mark(shadow, addresses[i]), i + 1);
    assert_int_equal(shadow->sheet_count, 3);
    drop(shadow);
}

static void test_a_block_that_was_never_marked_has_no_owner(void **state)
{
    struct shadow *shadow = make();

    (void) state;
    assert_int_equal(*shadow_mark(shadow, CHUNK(3) + 64), 0);
    assert_null(shadow_mark(shadow, 0));
    drop(shadow);
}

static void test_chunks_beyond_the_ceiling_have_no_marks_and_the_others_keep_theirs(void **state)
{
    struct shadow *shadow = make();

    (void) state;
    *shadow_mark(shadow, CHUNK(0) + 16) = 7;
    /* The sheets themselves are not touched: only that numbers run out is looked at. */
    for (int n = 1; n < SHADOW_CHUNKS_MAX; n++)
        assert_non_null(shadow_find_sheet(shadow, CHUNK(n)));
    assert_null(shadow_mark(shadow, CHUNK(SHADOW_CHUNKS_MAX) + 16));
    assert_int_equal(*shadow_mark(shadow, CHUNK(0) + 16), 7);
    drop(shadow);
}

static void test_forgetting_makes_room_again(void **state)
{
    struct shadow *shadow = make();

    (void) state;
    for (int n = 0; n < SHADOW_CHUNKS_MAX; n++)
        shadow_find_sheet(shadow, CHUNK(n));
    shadow_forget(shadow);
    assert_int_equal(shadow->sheet_count, 0);
    assert_ptr_equal(shadow_mark(shadow, CHUNK(9) + 8), shadow->sheets + 1);
    drop(shadow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neighbouring_blocks_and_chunks_have_marks_of_their_own),
        cmocka_unit_test(test_a_block_that_was_never_marked_has_no_owner),
        cmocka_unit_test(test_chunks_beyond_the_ceiling_have_no_marks_and_the_others_keep_theirs),
        cmocka_unit_test(test_forgetting_makes_room_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
