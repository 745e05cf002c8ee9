/* test_chunk.c - the header is believed only when it agrees with malloc_usable_size(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>

#include "alloc/chunk.h"

static size_t usable_honest(void *ptr)
{
    return malloc_usable_size(ptr);
}

static size_t usable_other(void *ptr)
{
    return malloc_usable_size(ptr) + 8;
}

static size_t usable_other_when_large(void *ptr)
{
    size_t bytes = malloc_usable_size(ptr);

    return bytes > 100000 ? bytes + 1 : bytes;
}

static const struct chunk_allocator host = {
    .allocate = malloc,
    .align = memalign,
    .resize = realloc,
    .release = free,
    .usable = usable_honest,
};

static void test_glibcs_header_is_trusted(void **state)
{
    (void) state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* another malloc */
#endif
    assert_true(chunk_trust(&host));
}

static void test_a_header_that_disagrees_is_not(void **state)
{
    struct chunk_allocator other = host;

    (void) state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#endif
    other.usable = usable_other;
    assert_false(chunk_trust(&other));
    other.usable = usable_other_when_large;
    assert_false(chunk_trust(&other));
}

/* glibc maps larger and larger blocks only after it has seen a large mapped one freed. */
static void test_the_test_leaves_glibcs_thresholds_alone(void **state)
{
    size_t mapped;
    void *volatile ptr; /* or gcc sees that nobody needs it */

    (void) state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip();
#endif
    assert_true(chunk_trust(&host));
    mapped = mallinfo2().hblks;
    ptr = malloc(1536 * 1024); /* more than the heap has at its end */
    assert_int_equal(mallinfo2().hblks, mapped + 1);
    free(ptr);
}

static void *allocate_nothing(size_t bytes)
{
    (void) bytes;
    return NULL;
}

static void test_no_memory_means_no_trust(void **state)
{
    struct chunk_allocator empty = host;

    (void) state;
    empty.allocate = allocate_nothing;
    assert_false(chunk_trust(&empty));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_test_leaves_glibcs_thresholds_alone),
        cmocka_unit_test(test_glibcs_header_is_trusted),
        cmocka_unit_test(test_a_header_that_disagrees_is_not),
        cmocka_unit_test(test_no_memory_means_no_trust),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
