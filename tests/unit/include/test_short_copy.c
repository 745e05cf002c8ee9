/* test_short_copy.c - every length is copied whole, and nothing beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fpmscope/short_copy.h"

enum { LEN_MAX = 40 };

static void test_every_length_is_copied_and_no_byte_more(void **state)
{
    char src[LEN_MAX], dst[LEN_MAX + 2], expected[LEN_MAX + 2];

    (void) state;
    for (int i = 0; i < LEN_MAX; i++)
        src[i] = (char) (i + 1);
    for (size_t len = 0; len <= LEN_MAX; len++) {
        memset(dst, '#', sizeof dst);
        memset(expected, '#', sizeof expected);
        memcpy(expected + 1, src, len);
        short_copy(dst + 1, src, len);
        assert_memory_equal(dst, expected, sizeof dst);
    }
}

static void test_nothing_may_come_from_nowhere(void **state)
{
    char dst = '#';

    (void) state;
    short_copy(&dst, NULL, 0);
    assert_int_equal(dst, '#');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length_is_copied_and_no_byte_more),
        cmocka_unit_test(test_nothing_may_come_from_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
