/* The owners of blocks, written beside the C heap: every block has its own mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc/exact_marks.h"

enum { SHEETS = 8, GRAIN_BITS = 4 };

#define REGION_BYTES     ((uintptr_t) EXACT_SHEET_MARKS << GRAIN_BITS)
#define BLOCK(n, offset) ((const void *) (UINT64_C(0x7f0000000000) + (n) *REGION_BYTES + (offset)))

/* With room for a few sheets; the tests below never touch more. */
static int make(void **state)
{
    static struct exact_marks marks;

    memset(&marks, 0, sizeof marks);
    marks.grain_bits = GRAIN_BITS;
    marks.sheets = calloc(SHEETS * EXACT_SHEET_MARKS, sizeof *marks.sheets);
    *state = &marks;
    return marks.sheets ? 0 : -1;
}

static int drop(void **state)
{
    struct exact_marks *marks = *state;

    free(marks->sheets);
    return 0;
}

static void test_neighbouring_blocks_have_marks_of_their_own(void **state)
{
    const void *const blocks[] = {BLOCK(0, 0), BLOCK(0, 16),   BLOCK(0, REGION_BYTES - 16),
                                  BLOCK(1, 0), BLOCK(5, 4096), BLOCK(0, 32)};
    struct exact_marks *marks = *state;

    for (uint32_t i = 0; i < 6; i++)
        *exact_marks_make(marks, blocks[i]) = i + 1;
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(*exact_marks_find(marks, blocks[i]), i + 1);
    assert_int_equal(marks->sheet_count, 3);
}

static void test_a_block_that_was_never_marked_has_no_owner(void **state)
{
    struct exact_marks *marks = *state;

    assert_null(exact_marks_find(marks, BLOCK(0, 64)));
    *exact_marks_make(marks, BLOCK(0, 0)) = 9;
    assert_int_equal(*exact_marks_find(marks, BLOCK(0, 64)), 0);
    assert_null(exact_marks_find(marks, BLOCK(1, 64)));
    assert_null(exact_marks_make(marks, NULL));
}

static void test_blocks_beyond_the_ceiling_have_no_marks_and_the_others_keep_theirs(void **state)
{
    struct exact_marks *marks = *state;

    *exact_marks_make(marks, BLOCK(0, 16)) = 7;
    for (uintptr_t n = 1; n < EXACT_SHEETS_MAX; n++)
        assert_non_null(exact_marks_make(marks, BLOCK(n, 0)));
    assert_null(exact_marks_make(marks, BLOCK(EXACT_SHEETS_MAX, 0)));
    assert_null(exact_marks_find(marks, BLOCK(EXACT_SHEETS_MAX, 0)));
    assert_int_equal(*exact_marks_find(marks, BLOCK(0, 16)), 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(test_neighbouring_blocks_have_marks_of_their_own),
        TEST(test_a_block_that_was_never_marked_has_no_owner),
        TEST(test_blocks_beyond_the_ceiling_have_no_marks_and_the_others_keep_theirs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
