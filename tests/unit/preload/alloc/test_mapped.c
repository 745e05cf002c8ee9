/* test_mapped.c - what is counted as mapped, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "alloc/mapped.h"

enum { OPCACHE_BYTES = 128 << 20, CHUNK_BYTES = 2 << 20 };

static void test_private_mappings_are_counted_until_they_go(void **state)
{
    (void) state;
    uint64_t before_bytes = mapped_bytes();

    mapped_add(CHUNK_BYTES);
    assert_int_equal(mapped_bytes() - before_bytes, CHUNK_BYTES);
    mapped_remove(CHUNK_BYTES);
    assert_int_equal(mapped_bytes(), before_bytes);
}

/* What opcache does at start: 128 MB, away again, 128 MB elsewhere. */
static void test_the_end_of_a_shared_mapping_takes_nothing_away(void **state)
{
    (void) state;
    const void *first = (void *) 0x40144000, *second = (void *) 0x403ad000; /* NOLINT */

    mapped_note_shared(first, OPCACHE_BYTES);
    assert_true(mapped_forget_shared(first, OPCACHE_BYTES));
    mapped_note_shared(second, OPCACHE_BYTES);
    assert_false(mapped_forget_shared(first, OPCACHE_BYTES));
    assert_false(mapped_forget_shared(second, CHUNK_BYTES));
    assert_true(mapped_forget_shared(second, OPCACHE_BYTES));
    assert_false(mapped_forget_shared(second, OPCACHE_BYTES));
}

static void test_small_shared_mappings_take_no_place(void **state)
{
    (void) state;
    const void *cache = (void *) 0x7f0000000000; /* NOLINT */

    mapped_note_shared(cache, MAPPED_SHARED_MIN_BYTES - 1);
    assert_false(mapped_forget_shared(cache, MAPPED_SHARED_MIN_BYTES - 1));
}

static void test_beyond_the_ceiling_shared_mappings_are_forgotten(void **state)
{
    (void) state;
    const char *base = (void *) 0x500000000000; /* NOLINT */

    for (size_t i = 0; i <= MAPPED_SHARED_MAX; i++)
        mapped_note_shared(base + i * OPCACHE_BYTES, OPCACHE_BYTES);
    for (size_t i = 0; i <= MAPPED_SHARED_MAX; i++)
        assert_int_equal(mapped_forget_shared(base + i * OPCACHE_BYTES, OPCACHE_BYTES),
                         i < MAPPED_SHARED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_private_mappings_are_counted_until_they_go),
        cmocka_unit_test(test_the_end_of_a_shared_mapping_takes_nothing_away),
        cmocka_unit_test(test_small_shared_mappings_take_no_place),
        cmocka_unit_test(test_beyond_the_ceiling_shared_mappings_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
