/* test_array.c - a growing array keeps its ceiling, its order and its place to begin. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"

struct stop {
    int name;
    int64_t time_us;
};

static void add(struct array *stops, int name, int64_t time_us)
{
    struct stop *stop = array_add(stops);

    assert_non_null(stop);
    *stop = (struct stop){name, time_us};
}

static const struct stop *stop_at(const struct array *stops, size_t i)
{
    return array_at(stops, i);
}

static int compare_stops(const void *a, const void *b)
{
    const struct stop *x = a, *y = b;

    return x->time_us < y->time_us ? -1 : x->time_us > y->time_us;
}

static void test_above_its_ceiling_nothing_is_kept_and_what_was_refused_is_counted(void **state)
{
    enum { LIMIT = 21 }; /* no power of two */
    struct array stops;

    (void) state;
    array_init(&stops, sizeof(struct stop), LIMIT);
    for (int i = 0; i < LIMIT; i++)
        add(&stops, i, i);
    assert_null(array_add(&stops));
    assert_null(array_add(&stops));
    assert_int_equal(stops.count, LIMIT);
    assert_int_equal(stops.refused, 2);
    for (int i = 0; i < LIMIT; i++)
        assert_int_equal(stop_at(&stops, (size_t) i)->name, i);
    array_release(&stops);
}

static void test_a_sorted_array_gives_the_first_object_from_a_time_on(void **state)
{
    struct array stops;

    (void) state;
    array_init(&stops, sizeof(struct stop), 8);
    add(&stops, 1, 30);
    add(&stops, 2, 10);
    add(&stops, 3, 20);
    array_sort(&stops, compare_stops);
    assert_int_equal(stop_at(&stops, 0)->name, 2);
    assert_int_equal(stop_at(&stops, 1)->name, 3);
    assert_int_equal(stop_at(&stops, 2)->name, 1);
    assert_int_equal(array_first_from(&stops, offsetof(struct stop, time_us), INT64_MIN), 0);
    assert_int_equal(array_first_from(&stops, offsetof(struct stop, time_us), 20), 1);
    assert_int_equal(array_first_from(&stops, offsetof(struct stop, time_us), 21), 2);
    assert_int_equal(array_first_from(&stops, offsetof(struct stop, time_us), 31), 3);
    array_release(&stops);
}

static void test_an_empty_array_may_be_sorted_and_searched(void **state)
{
    struct array stops;

    (void) state;
    array_init(&stops, sizeof(struct stop), 8);
    array_sort(&stops, compare_stops);
    assert_int_equal(array_first_from(&stops, offsetof(struct stop, time_us), 0), 0);
    array_release(&stops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_above_its_ceiling_nothing_is_kept_and_what_was_refused_is_counted),
        cmocka_unit_test(test_a_sorted_array_gives_the_first_object_from_a_time_on),
        cmocka_unit_test(test_an_empty_array_may_be_sorted_and_searched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
