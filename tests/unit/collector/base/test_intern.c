/* test_intern.c - equal texts get equal numbers; arenas and arrays keep their ceilings. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/array.h"
#include "base/intern.h"

static void test_equal_texts_have_one_number(void **state)
{
    struct intern texts;
    char same[] = "GET";

    (void) state;
    intern_init(&texts, 1 << 20);
    text_id get = intern_put(&texts, SLICE("GET"));

    assert_int_not_equal(get, 0);
    assert_int_equal(intern_put(&texts, slice_of(same)), get);
    assert_int_not_equal(intern_put(&texts, SLICE("POST")), get);
    assert_string_equal(intern_text(&texts, get).ptr, "GET");
    intern_release(&texts);
}

static void test_the_empty_text_is_number_0(void **state)
{
    struct intern texts;

    (void) state;
    intern_init(&texts, 1 << 20);
    assert_int_equal(intern_put(&texts, SLICE("")), 0);
    assert_int_equal(intern_text(&texts, 0).len_bytes, 0);
    assert_int_equal(intern_text(&texts, 4711).len_bytes, 0);
    intern_release(&texts);
}

static void test_texts_beyond_the_ceiling_are_refused_and_counted(void **state)
{
    struct intern texts;
    char text[32];
    int kept = 0;

    (void) state;
    intern_init(&texts, 1024);
    for (int i = 0; i < 100; i++) {
        int n = snprintf(text, sizeof text, "text number %d", i);

        kept += intern_put(&texts, (struct slice){text, (size_t) n}) != 0;
    }
    assert_in_range(kept, 10, 99);
    assert_int_equal(texts.refused, 100 - kept);
    intern_release(&texts);
}

static void test_an_arena_copies_and_formats(void **state)
{
    struct arena arena;

    (void) state;
    arena_init(&arena, 1 << 20);
    assert_string_equal(arena_copy(&arena, SLICE("abc")).ptr, "abc");
    assert_string_equal(arena_format(&arena, "%d and %s", 7, "more").ptr, "7 and more");
    assert_int_equal(arena_format(&arena, "%2000d", 1).len_bytes, 2000);
    assert_non_null(arena_alloc(&arena, 200000)); /* larger than a block */
    assert_null(arena_alloc(&arena, 1 << 20));
    arena_release(&arena);
}

static void test_an_array_stops_at_its_ceiling(void **state)
{
    struct array array;

    (void) state;
    array_init(&array, sizeof(int64_t), 20);
    for (int64_t i = 0; i < 25; i++) {
        int64_t *item = array_add(&array);

        if (item)
            *item = i * 10;
    }
    assert_int_equal(array.count, 20);
    assert_int_equal(array.refused, 5);
    assert_int_equal(array_first_from(&array, 0, 55), 6);
    assert_int_equal(array_first_from(&array, 0, -1), 0);
    assert_int_equal(array_first_from(&array, 0, 1000), 20);
    array_release(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_texts_have_one_number),
        cmocka_unit_test(test_the_empty_text_is_number_0),
        cmocka_unit_test(test_texts_beyond_the_ceiling_are_refused_and_counted),
        cmocka_unit_test(test_an_arena_copies_and_formats),
        cmocka_unit_test(test_an_array_stops_at_its_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
